import { openEngine } from '@entigrid/core'
import { startServer } from '@entigrid/server'
import { expect, it, vi } from 'vitest'
import { startPostgres } from '../../support/postgres.js'

interface Reply {
  status: number
  headers: Headers
  body: ReturnType<typeof JSON.parse>
}

/** A server on a PostgreSQL of its own, which can be killed and started again. */
const open = async () => {
  const postgres = await startPostgres()
  const errors: unknown[] = []
  const silent = () => undefined
  const engine = await openEngine({
    database: postgres.url,
    secret: 'a secret that only tests know, long enough',
    passwordCost: { memoryCost: 1024, timeCost: 1, parallelism: 1 },
    log: { info: silent, warn: silent, error: (fields) => errors.push(fields) },
    onError: silent,
  })
  await engine.bootstrap({ username: 'owner', password: 'a password for tests', organization: 'test' })
  const server = await startServer(engine, { port: 0 })
  const send = async (method: string, path: string, body?: object): Promise<Reply> => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const response = await fetch(`${server.url}${path}`, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) }
  }
  const app = (method: string, path: string, body?: object) => send(method, `/test/sandbox${path}`, body)
  return {
    postgres,
    errors,
    send,
    app,
    [Symbol.asyncDispose]: async () => {
      await server.close()
      await engine.close()
      await postgres.stop()
    },
  }
}

const namesIn = (replies: Reply[]) =>
  replies.flatMap(({ body }) => body.entities.map(({ name }: { name: string }) => name))

it('answers 503 while PostgreSQL is away, and recovers by itself', async () => {
  await using world = await open()
  const { postgres, app, send, errors } = world
  await app('POST', '/dogs', { name: 'before' })

  await postgres.kill()
  const replies = [
    await app('GET', '/dogs'),
    await app('GET', '/dogs/before'),
    await app('GET', "/dogs?ql=name='before'"),
    await app('GET', '/dogs/before/likes'),
    await app('POST', '/dogs', { name: 'during' }),
    await app('PUT', '/dogs/before', { age: 3 }),
    await app('DELETE', '/dogs/before'),
    await app('POST', '/token', { grant_type: 'password', username: 'ann', password: 'x' }),
  ]
  for (const { status, headers, body } of replies) {
    expect([status, headers.get('retry-after'), body.error]).toEqual([503, '1', 'unavailable'])
    expect(body).toMatchObject({ exception: 'UnavailableException', code: 503 })
    expect(JSON.stringify(body)).not.toMatch(/ECONN|127\.0\.0\.1:|postgres|SELECT|57P0/i)
  }
  expect((await send('GET', '/lb-status')).status).toBe(503)
  expect(errors).toEqual([])

  await postgres.start()
  await vi.waitFor(async () => expect((await app('GET', '/dogs')).status).toBe(200), { timeout: 15_000 })
  expect(namesIn([await app('GET', '/dogs')])).toEqual(['before'])
  expect((await app('GET', '/dogs/before')).body.entities[0]).not.toHaveProperty('age')
  expect((await app('POST', '/dogs', { name: 'after' })).status).toBe(200)
  expect((await send('GET', '/lb-status')).status).toBe(200)
})

it('acknowledges nothing that it did not store when PostgreSQL dies under load', async () => {
  await using world = await open()
  const { postgres, app } = world
  await app('POST', '/dogs', { name: 'first' })
  const acknowledged: string[] = ['first']
  const statuses = new Set<number>()
  let stop = false
  let answered = 0
  let enough = () => {}
  const isBusy = new Promise<void>((resolve) => {
    enough = resolve
  })
  const client = async (id: number) => {
    for (let n = 0; !stop; n++) {
      const { status, body } = await app('POST', '/dogs', { name: `c${id}-${n}` })
      statuses.add(status)
      if (status === 200) acknowledged.push(body.entities[0].name)
      if (++answered === 100) enough()
    }
  }

  const clients = Array.from({ length: 16 }, (_, id) => client(id))
  await isBusy
  await postgres.kill()
  await vi.waitFor(() => expect(statuses).toContain(503), { timeout: 15_000 })
  await postgres.start()
  const count = acknowledged.length
  await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(count + 50), { timeout: 15_000 })
  stop = true
  await Promise.all(clients)

  expect([...statuses].sort()).toEqual([200, 503])
  const stored = new Set<string>()
  let cursor = ''
  do {
    const { body } = await app('GET', `/dogs?limit=1000&cursor=${cursor}`)
    for (const { name } of body.entities) stored.add(name)
    cursor = body.cursor ?? ''
  } while (cursor !== '')
  expect(acknowledged.filter((name) => !stored.has(name))).toEqual([])
})
