import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer } from '../../support/application.js'
import { openTestServer, type TestServer } from '../../support/server.js'

describe('passwords', () => {
  const server = sharedServer('sqlite', {
    passwordPolicy: {
      users: { minLength: 4, minSpecial: 1, specialChars: '_ ' },
      admins: { minUppercase: 0, minLength: 10 },
    },
  })

  it('follow one policy for users and another for administrators', async () => {
    const app = await server.application()
    const user = (password: string) => app.post('/users', { username: 'ada', password })
    const admin = (password: string) =>
      app.as(undefined, '').post('/management/users', { email: `${app.organization}@x.test`, password })

    expect((await user('no-special')).body).toMatchObject({
      error: 'error_password_policy_violation',
      error_description: 'error_special_chars_policy: requires 1 special characters',
    })
    expect((await user('a_b')).body.error_description).toBe(
      'error_length_policy: must be at least 4 characters',
    )
    expect((await user('ab_c')).status).toBe(200)
    expect((await admin('nine long')).body).toMatchObject({
      error: 'error_password_policy_violation',
      error_description: 'error_length_policy: must be at least 10 characters',
    })
    expect((await admin('ten-longer')).status).toBe(200)
    const changed = await app.management.put('/management/users/me/password', {
      oldpassword: PASSWORD,
      newpassword: 'short',
    })
    expect([changed.status, changed.body.error]).toEqual([400, 'error_password_policy_violation'])
  })

  it('of administrators are not taken again while an organization remembers them', async () => {
    const app = await server.application()
    const { management, organization, owner } = app
    const change = (oldpassword: string, newpassword: string) =>
      management.put('/management/users/me/password', { oldpassword, newpassword })
    const remember = async (name: string, size: unknown) =>
      management.put(`/management/orgs/${name}`, { properties: { passwordHistorySize: size } })
    expect((await change(PASSWORD, PASSWORD)).status).toBe(200)

    const { body } = await remember(organization, 2)
    expect(body.organization).toMatchObject({
      passwordHistorySize: 2,
      properties: { passwordHistorySize: 2 },
    })
    const same = await change(PASSWORD, PASSWORD)
    expect([same.status, same.body.error]).toEqual([409, 'recently_used_password'])
    expect((await change(PASSWORD, 'password one')).status).toBe(200)
    expect((await change('password one', 'password two')).status).toBe(200)
    for (const used of [PASSWORD, 'password one', 'password two'])
      expect((await change('password two', used)).body.error).toBe('recently_used_password')
    expect((await change('password two', 'password three')).status).toBe(200)
    expect((await change('password three', PASSWORD)).status).toBe(200)

    // Of several organizations the one that remembers most counts; and so it does for system administrators.
    await management.post('/management/users/me/orgs', { organization: `${organization}-b` })
    await remember(organization, 0)
    await remember(`${organization}-b`, 1)
    expect((await change(PASSWORD, PASSWORD)).body.error).toBe('recently_used_password')
    const { username, password } = server.server.owner
    const set = await app
      .as(undefined, '')
      .put(
        `/management/users/${owner.username}/password`,
        { newpassword: PASSWORD },
        { headers: { authorization: `Bearer ${await tokenOf(server.url, username, password)}` } },
      )
    expect([set.status, set.body.error]).toEqual([409, 'recently_used_password'])
    await remember(`${organization}-b`, '')
    expect((await change(PASSWORD, PASSWORD)).status).toBe(200)
  })

  it.each([-1, 1.5, 25, '5', true, [1]])('cannot be remembered %j times', async (passwordHistorySize) => {
    const app = await server.application()

    const changed = await app.management.put(`/management/orgs/${app.organization}`, {
      properties: { passwordHistorySize },
    })
    const made = await app.as(undefined, '').post('/management/orgs', {
      organization: `${app.organization}-c`,
      email: `${app.organization}@c.test`,
      properties: { passwordHistorySize },
    })

    for (const { status, body } of [changed, made])
      expect([status, body.error, body.fields[0].field]).toEqual([
        400,
        'illegal_argument',
        'passwordHistorySize',
      ])
  })

  it('of users of applications may be taken again', async () => {
    const app = await server.application()
    await app.management.put(`/management/orgs/${app.organization}`, {
      properties: { passwordHistorySize: 5 },
    })
    await app.post('/users', { username: 'ada', password: PASSWORD })

    const passwords = { oldpassword: PASSWORD, newpassword: PASSWORD }

    expect((await app.put('/users/ada/password', passwords)).status).toBe(200)
  })
})

describe('the password of the first start', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await openTestServer({
      options: { passwordPolicy: { admins: { minSpecial: 1, specialChars: ' §' } } },
    })
  })
  afterAll(() => server.close())

  it('is set however often it was used before', async () => {
    const { username, password } = server.owner
    const token = await tokenOf(server.url, username, password)
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    await fetch(`${server.url}/management/orgs/test`, {
      method: 'PUT',
      headers,
      body: JSON.stringify({ properties: { passwordHistorySize: 5 } }),
    })
    await server.engine.bootstrap({ username, password: 'another one', organization: 'test' })
    await server.engine.bootstrap({ username, password, organization: 'test' })

    expect(await tokenOf(server.url, username, password)).toBeTypeOf('string')
  })

  it('is made up as the policy asks', async () => {
    const made = await server.engine.bootstrap({ username: 'Ann Admin', organization: 'other' })

    expect(made.password).toMatch(/[ §]/)
    expect(await tokenOf(server.url, 'ann admin', made.password!)).toBeTypeOf('string')
  })
})

const tokenOf = async (url: string, username: string, password: string): Promise<string | undefined> => {
  const response = await fetch(`${url}/management/token`, {
    method: 'POST',
    body: JSON.stringify({ grant_type: 'password', username, password }),
  })
  return ((await response.json()) as { access_token?: string }).access_token
}
