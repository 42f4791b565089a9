import { describe, expect, it } from 'vitest'
import { DATABASES, openTestEngine, type TestEngine } from '../../testing/index.js'

const signIn = async ({ engine }: TestEngine, username: string, password: string) => {
  const body = { grant_type: 'password', username, password }
  const reply = await engine.handle({
    method: 'POST',
    path: '/management/token',
    search: '',
    body,
    baseUrl: '',
  })
  return { status: reply.status, ...JSON.parse(reply.body) }
}

describe.each(DATABASES)('setting up on %s', (database) => {
  it('makes an administrator with a password of its own, once', async () => {
    await using test = await openTestEngine(database)

    const first = await test.engine.bootstrap({ username: 'ada', organization: 'acme' })
    const second = await test.engine.bootstrap({ username: 'ada', organization: 'acme' })

    expect(first).toEqual({
      created: true,
      username: 'ada',
      password: expect.stringMatching(/^[\w-]{16}$/),
      organization: 'acme',
      application: 'sandbox',
    })
    expect(second).toEqual({ created: false, username: 'ada', organization: 'acme', application: 'sandbox' })
    expect(await signIn(test, 'ada', first.password!)).toMatchObject({ status: 200 })
  })

  it('is done by one of several that start at the same moment', async () => {
    await using test = await openTestEngine(database)

    const starts = await Promise.all(
      [1, 2, 3].map(() => test.engine.bootstrap({ username: 'ada', organization: 'acme' })),
    )

    const [made, ...others] = starts.filter(({ created }) => created)
    expect(others).toEqual([])
    expect(await signIn(test, 'ada', made!.password!)).toMatchObject({ status: 200 })
  })

  it('replaces the password by one that is given', async () => {
    await using test = await openTestEngine(database)
    await test.engine.bootstrap({ username: 'ada', password: 'the first one', organization: 'acme' })

    await test.engine.bootstrap({ username: 'ada', password: 'the second one', organization: 'acme' })

    expect(await signIn(test, 'ada', 'the first one')).toMatchObject({ error: 'invalid_grant' })
    expect(await signIn(test, 'ada', 'the second one')).toMatchObject({ status: 200 })
  })

  it('makes nobody a system administrator whose e-mail address is the name', async () => {
    await using test = await openTestEngine(database)
    const body = { username: 'eve', email: 'ada@x.test', password: 'a password of eve' }
    await test.engine.handle({ method: 'POST', path: '/management/users', search: '', body, baseUrl: '' })

    const start = test.engine.bootstrap({ username: 'ada@x.test', organization: 'acme' })

    await expect(start).rejects.toMatchObject({ code: 'duplicate_unique_property_exists' })
    expect((await signIn(test, 'eve', body.password)).user.organizations).toEqual({})
  })

  it('adds an administrator of another name to the organization that is there', async () => {
    await using test = await openTestEngine(database)
    await test.engine.bootstrap({ username: 'ada', organization: 'acme' })

    const { created, password } = await test.engine.bootstrap({ username: 'bob', organization: 'acme' })

    const { user } = await signIn(test, 'bob', password!)
    expect(created).toBe(true)
    expect(Object.keys(user.organizations)).toEqual(['acme'])
  })
})
