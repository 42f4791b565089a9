import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type Engine, openEngine } from '../app.js'

const OPTIONS = {
  secret: 'a secret that only tests know, long enough',
  passwordCost: { memoryCost: 1024, timeCost: 1, parallelism: 1 },
}
let folder: string
let engines: Engine[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entigrid-writers-'))
  const database = `sqlite:${join(folder, 'shared.db')}`
  const server = await openEngine({ ...OPTIONS, database })
  await server.bootstrap({ username: 'owner', password: 'a password for tests', organization: 'test' })
  engines = [server, await openEngine({ ...OPTIONS, database })]
})
afterAll(async () => {
  for (const engine of engines) await engine.close()
  await rm(folder, { recursive: true, force: true })
})

it('what another process writes to a SQLite file counts within moments, for rights and for tokens', async () => {
  const [server, command] = engines as [Engine, Engine]
  const ask = async (engine: Engine, method: 'GET' | 'POST' | 'PUT', path: string, more: object) => {
    const request = { method, path: `/test/sandbox${path}`, search: '', baseUrl: '', ...more }
    const { status, body } = await engine.handle(request)
    return { status, body: JSON.parse(body) }
  }
  const system = { principal: { kind: 'sysadmin' } } as const
  await ask(server, 'POST', '/users', { ...system, body: { username: 'ann' } })
  const { access_token: token } = (await ask(server, 'GET', '/users/ann/token', system)).body
  const asAnn = { authorization: `Bearer ${token}` }
  expect((await ask(server, 'GET', '/users/me', asAnn)).status).toBe(200)

  await ask(command, 'PUT', '/users/ann', { ...system, body: { disabled: true } })

  await vi.waitFor(async () => expect((await ask(server, 'GET', '/users/me', asAnn)).status).toBe(401), {
    timeout: 20_000,
    interval: 100,
  })
})
