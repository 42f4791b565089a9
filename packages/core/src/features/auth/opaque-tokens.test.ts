import { describe, expect, it } from 'vitest'
import { DATABASES } from '../../testing/databases.js'
import { openTestEngine } from '../../testing/open-test-engine.js'

const signIn = async (engine: Awaited<ReturnType<typeof openTestEngine>>['engine']) => {
  await engine.bootstrap({ username: 'ada', password: 'a long password', organization: 'acme' })
  const body = { grant_type: 'password', username: 'ada', password: 'a long password' }
  const reply = await engine.handle({
    method: 'POST',
    path: '/management/token',
    search: '',
    body,
    baseUrl: 'http://x',
  })
  return JSON.parse(reply.body).access_token as string
}

const read = async (engine: Awaited<ReturnType<typeof openTestEngine>>['engine'], token: string) => {
  const request = { method: 'GET', path: '/management/orgs/acme', search: '', baseUrl: 'http://x' } as const
  const reply = await engine.handle({ ...request, authorization: `Bearer ${token}` })
  return { status: reply.status, error: JSON.parse(reply.body).error as string | undefined }
}

describe.each(DATABASES)('tokens in compatibility mode on %s', (database) => {
  it('have 63 characters and open what their owner may see', async () => {
    await using place = await openTestEngine(database, { compatibility: 'usergrid' })

    const token = await signIn(place.engine)

    expect(token).toMatch(/^YWMt[\w-]{59}$/)
    expect(await read(place.engine, token)).toEqual({ status: 200, error: undefined })
  })

  it('are refused when unknown, malformed or over', async () => {
    let now = 1_700_000_000_000
    await using place = await openTestEngine(database, { compatibility: 'usergrid', clock: () => now })
    const token = await signIn(place.engine)

    expect(await read(place.engine, `YWMt${'x'.repeat(59)}`)).toEqual({ status: 401, error: 'auth_invalid' })
    expect(await read(place.engine, 'nonsense')).toEqual({ status: 401, error: 'auth_bad_access_token' })
    now += 604_800_000
    expect(await read(place.engine, token)).toEqual({ status: 401, error: 'expired_token' })
  })
})
