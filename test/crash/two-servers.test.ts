import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Door, type Reply, type Sending, send, storedOf } from './door.js'
import { openPostgresTarget, PASSWORD, type Target } from './target.js'
import { Trial } from './trial.js'

const SEED = 3
/** Milliseconds after which a server must know what was changed on another. */
const KNOWN_AFTER = 1000
const ADMIN = { authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}` }

describe('two servers on one PostgreSQL', { timeout: 60_000 }, () => {
  let target: Target
  beforeAll(async () => {
    target = await openPostgresTarget({ servers: 2 })
  })
  afterAll(() => target[Symbol.asyncDispose]())

  const door = (n: number): Door => target.doors[n % 2]!

  /** The same request, by turns to one and the other, all at once. */
  const race = (times: number, method: string, path: string, sending: (n: number) => Sending = () => ({})) =>
    Promise.all(Array.from({ length: times }, (_, n) => send(door(n), method, path, sending(n))))

  const entityOf = async (path: string) => storedOf(await send(door(0), 'GET', path))[0]!

  it('keep what 32 clients write through both of them', async () => {
    const outcome = await new Trial(target, SEED).run((load) => load.until(400))

    expect(outcome.problems).toEqual([])
    expect([...outcome.statuses.keys()].sort()).toEqual([200, 400])
  })

  it('give a name to one of those who race for it', async () => {
    for (let n = 0; n < 20; n++) {
      const replies = await race(8, 'POST', 'flags', (owner) => ({ body: { name: `flag${n}`, owner } }))

      const [winner, ...others] = replies.filter(({ status }) => status === 200)
      const refusals = replies.filter((reply) => reply !== winner)
      expect(others).toEqual([])
      expect(new Set(refusals.map(({ body }) => body.error))).toEqual(
        new Set(['duplicate_unique_property_exists']),
      )
      expect(await entityOf(`flags/flag${n}`)).toEqual(storedOf(winner!)[0])
    }
  })

  it('count exactly', async () => {
    await send(door(0), 'POST', 'tallies', { body: { name: 'clicks', n: 0 } })

    const replies = await race(200, 'PUT', 'tallies/clicks', (n) => ({ body: { n: { $inc: n } } }))

    expect(replies.map(({ status }) => status)).toEqual(Array(200).fill(200))
    expect((await entityOf('tallies/clicks'))['n']).toBe((199 * 200) / 2)
  })

  /** Several at once with each key; returns the replies by key. */
  const raceWithKeys = async (keys: number, path: string, bodyOf: (n: number) => object) => {
    const groups: Reply[][] = []
    for (let n = 0; n < keys; n++) {
      const headers = { 'idempotency-key': `${path}-${n}` }
      groups.push(await race(6, 'POST', path, () => ({ body: bodyOf(n), headers })))
    }
    return groups
  }

  const expectOneReplyEach = (groups: readonly Reply[][]) => {
    for (const replies of groups) {
      const isFirst = ({ headers }: Reply) => headers.get('idempotency-replayed') === null
      expect(replies.map(({ status }) => status)).toEqual(Array(6).fill(200))
      expect(replies.filter(isFirst)).toHaveLength(1)
      expect(replies.map(storedOf)).toEqual(Array(6).fill(storedOf(replies[0]!)))
    }
  }

  it('make one entity of what comes to both with one idempotency key', async () => {
    const groups = await raceWithKeys(15, 'parcels', (weight) => ({ weight }))

    expectOneReplyEach(groups)
    const found = await send(door(1), 'GET', 'parcels', { params: { limit: 1000 } })
    expect(found.body.entities).toHaveLength(15)
  })

  it('carry out a batch once that comes to both with one idempotency key', async () => {
    const groups = await raceWithKeys(15, '_batch', (n) => ({
      operations: [
        { method: 'POST', path: 'letters', body: { name: `letter${n}` } },
        { method: 'PUT', path: 'tallies/letters', body: { n: { $inc: 1 } } },
      ],
    }))

    expectOneReplyEach(groups)
    expect((await entityOf('tallies/letters'))['n']).toBe(15)
  })

  const signUp = async (username: string) => {
    const password = 'a password of a user'
    await send(door(0), 'POST', 'users', { body: { username, password } })
    const signIn = { grant_type: 'password', username, password }
    const { body } = await send(door(0), 'POST', 'token', { body: signIn })
    return { authorization: `Bearer ${body.access_token}` }
  }

  it.concurrent.each([
    ['revoking tokens', 'PUT', (name: string) => `users/${name}/revoketokens`, undefined],
    [
      'a new password',
      'PUT',
      (name: string) => `users/${name}/password`,
      { newpassword: 'another password of a user' },
    ],
    ['disabling a user', 'PUT', (name: string) => `users/${name}`, { disabled: true }],
    ['deactivating a user', 'POST', (name: string) => `users/${name}/deactivate`, undefined],
    ['removing a user', 'DELETE', (name: string) => `users/${name}`, undefined],
  ])('end a token on both within a second: %s', async (what, method, path, body) => {
    const username = what.replaceAll(' ', '-')
    const user = await signUp(username)
    expect((await send(door(1), 'GET', 'users/me', { headers: user })).status).toBe(200)

    const { status } = await send(door(0), method, path(username), { body, headers: ADMIN })
    const isKnown = answers(401, door(1), 'users/me', user)

    expect(status).toBe(200)
    await isKnown
    expect((await send(door(0), 'GET', 'users/me', { headers: user })).status).toBe(401)
  })

  it.concurrent('give and take rights on both within a second', async () => {
    const management = (path: string, body: object) =>
      send({ url: new URL(door(0).url).origin }, 'POST', path, { body, headers: ADMIN })
    expect((await management('management/orgs/demo/apps', { name: 'closed' })).status).toBe(200)
    const closed = target.doors.map(({ url }) => ({ url: url.replace(/sandbox$/, 'closed') }))
    const administer = (method: string, path: string, body?: object) =>
      send(closed[0]!, method, path, { body, headers: ADMIN })
    await administer('POST', 'roles', { name: 'reader', title: 'Readers' })
    await administer('POST', 'roles/reader/permissions', { permission: 'get:/papers/**' })
    await administer('POST', 'papers', { name: 'first' })
    await administer('POST', 'users', { username: 'ann', password: 'a password of a user' })
    const signIn = { grant_type: 'password', username: 'ann', password: 'a password of a user' }
    const { body } = await send(closed[0]!, 'POST', 'token', { body: signIn })
    const ann = { authorization: `Bearer ${body.access_token}` }
    const mayRead = (status: 200 | 401) => answers(status, closed[1]!, 'papers/first', ann)
    await mayRead(401)

    await administer('POST', 'roles/reader/users/ann')
    await mayRead(200)
    await administer('DELETE', 'roles/reader/users/ann')
    await mayRead(401)
    await administer('POST', 'users/ann/permissions', { permission: 'get:/papers/**' })
    await mayRead(200)
    await administer('DELETE', `users/ann/permissions?permission=${encodeURIComponent('get:/papers/**')}`)
    await mayRead(401)
  })
})

/** Asks until the reply is as wanted. What is sent when that must be known on every server may not fail. */
const answers = async (
  wanted: number,
  door: Door,
  path: string,
  headers: Record<string, string>,
): Promise<void> => {
  const since = performance.now()
  for (;;) {
    const waited = performance.now() - since
    const { status } = await send(door, 'GET', path, { headers })
    if (status === wanted) return
    if (waited > KNOWN_AFTER) expect(status, `${waited} ms later`).toBe(wanted)
  }
}
