import { describe, expect, it } from 'vitest'
import { type Act, failure, openWire, type Received } from '../../../test/support/wire.js'
import { ConnectionError, inc } from './index.js'

const dog = { uuid: 'd1', type: 'dog', name: 'fido', created: 1, modified: 1, metadata: { path: '/dogs/d1' } }
const found: Act = { json: { entities: [dog] } }
const tagged: Act = { json: { entities: [dog] }, headers: { etag: '"t1"' } }
const refused: Act = { status: 412, json: { error: 'precondition_failed' } }
const busy: Act = { status: 503, json: { error: 'unavailable', error_description: 'Busy' } }

/** A `fetch` that keeps requests for tokens until they are released. */
const heldTokens = () => {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const held: typeof fetch = async (input, init) => {
    if (String(input).endsWith('/token')) await released
    return fetch(input, init)
  }
  return { held, release }
}

describe('a refresh token', () => {
  const granted = (n: number, seconds = 60): Act => ({
    json: { access_token: `t${n}`, expires_in: seconds, refresh_token: `r${n}`, user: dog },
  })
  const expired: Act = { status: 401, json: { error: 'expired_token' } }
  const ended: Act = { status: 400, json: { error: 'invalid_grant' } }
  const shown = ({ method, url, authorization, body }: Received) =>
    url.endsWith('/token') ? `renews ${JSON.parse(body).refresh_token}` : `${method} as ${authorization}`

  it('is asked for, and exchanged before the first call after the token has run out', async () => {
    const changes: unknown[] = []
    await using wire = await openWire([granted(1, 0), granted(2), found], {
      onTokenChange: (...change) => changes.push(change),
    })

    await wire.client.signIn({ username: 'ann', password: 'secret', refresh: true })
    await wire.dogs.get('fido')
    await wire.dogs.get('fido')

    expect(JSON.parse(wire.received[0]!.body)).toMatchObject({ refresh: true })
    expect(wire.received.slice(1).map(shown)).toEqual(['renews r1', 'GET as Bearer t2', 'GET as Bearer t2'])
    expect(wire.received[1]).toMatchObject({
      method: 'POST',
      url: '/demo/sandbox/token',
      authorization: undefined,
    })
    expect(changes).toEqual([
      ['t1', expect.any(Number), 'r1'],
      ['t2', expect.any(Number), 'r2'],
    ])
    expect(wire.client.tokens).toEqual({ token: 't2', expiresAt: expect.any(Number), refreshToken: 'r2' })
  })

  it.each(['expired_token', 'auth_invalid', 'auth_unverified_oath'])(
    'is exchanged where the server refuses the token first, with %s, and the call made again',
    async (error) => {
      await using wire = await openWire([{ status: 401, json: { error } }, granted(2), found], {
        token: 't1',
        refreshToken: 'r1',
      })

      await wire.dogs.update('fido', { age: inc() })

      expect(wire.received.map(shown)).toEqual(['PUT as Bearer t1', 'renews r1', 'PUT as Bearer t2'])
    },
  )

  it('alone is enough to go on with', async () => {
    await using wire = await openWire([granted(2), found], { refreshToken: 'r1' })

    await wire.dogs.get('fido')

    expect(wire.received.map(shown)).toEqual(['renews r1', 'GET as Bearer t2'])
  })

  it('is exchanged once for many calls at the same time, also when one of them is given up', async () => {
    const { held, release } = heldTokens()
    await using wire = await openWire([granted(2), found], { refreshToken: 'r1', fetch: held })
    const controller = new AbortController()

    const given = failure(wire.dogs.get('fido', { signal: controller.signal }))
    const calls = Array.from({ length: 20 }, () => wire.dogs.get('fido'))
    controller.abort()
    expect(await given).toMatchObject({ name: 'AbortError' })
    release()
    await Promise.all(calls)

    expect(wire.received.map(shown)).toEqual(['renews r1', ...Array(20).fill('GET as Bearer t2')])
  })

  it('that is not good any more signs out, tells so, and fails all that wait for it', async () => {
    const changes: unknown[] = []
    await using wire = await openWire([ended, found], {
      refreshToken: 'r1',
      onTokenChange: (token) => changes.push(token),
    })

    const errors = await Promise.all([failure(wire.dogs.get('fido')), failure(wire.client.me())])
    await wire.dogs.get('fido')

    for (const error of errors)
      expect(error).toMatchObject({ name: 'AuthenticationError', code: 'invalid_grant' })
    expect(changes).toEqual([undefined])
    expect(wire.received.map(shown)).toEqual(['renews r1', 'GET as undefined'])
  })

  it('is kept when the server cannot be asked, and shown again', async () => {
    await using wire = await openWire([busy, 'break', granted(2), found], { token: 't1', refreshToken: 'r1' })

    wire.client.tokens = { token: 't1', refreshToken: 'r1', expiresAt: 0 }
    await wire.dogs.get('fido')

    expect(wire.received.map(shown)).toEqual(['renews r1', 'renews r1', 'renews r1', 'GET as Bearer t2'])
  })

  it('brings nobody back who has signed out, or in as somebody else, meanwhile', async () => {
    const { held, release } = heldTokens()
    await using wire = await openWire([granted(2), found], { refreshToken: 'r1', fetch: held })

    const call = wire.dogs.get('fido')
    wire.client.tokens = { token: 'other' }
    release()
    await call

    expect(wire.received.map(shown)).toEqual(['renews r1', 'GET as Bearer other'])
    expect(wire.client.tokens).toEqual({ token: 'other' })
  })

  it('is not tried again and again where new tokens are refused, too', async () => {
    await using wire = await openWire([expired, granted(2), expired], { token: 't1', refreshToken: 'r1' })

    await expect(wire.dogs.get('fido')).rejects.toMatchObject({ code: 'expired_token' })

    expect(wire.received).toHaveLength(3)
  })

  it('leaves the doubt about a write whose reply was lost', async () => {
    await using wire = await openWire([tagged, 'break', expired, granted(2), refused], {
      token: 't1',
      refreshToken: 'r1',
    })

    const error = await failure(wire.dogs.modify('fido', () => ({ age: 4 })))

    expect(error).toBeInstanceOf(ConnectionError)
    expect(wire.received.map(({ method }) => method)).toEqual(['GET', 'PUT', 'PUT', 'POST', 'PUT'])
  })

  it('ends the sign-in when signing out', async () => {
    await using wire = await openWire([{ json: {} }], { token: 't1', refreshToken: 'r1' })

    await wire.client.signOut()

    expect(wire.received[0]!.body).toBe('{"token":"r1"}')
    expect(wire.client.tokens).toEqual({})
  })
})
