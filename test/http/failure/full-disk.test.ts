import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '@entigrid/core'
import type { SqlDatabase } from '@entigrid/core/testing'
import { startServer } from '@entigrid/server'
import { expect, it } from 'vitest'
import { AppClient } from '../../support/app-client.js'
import { openTestServer } from '../../support/server.js'

const TEXT = 'x'.repeat(50_000)

/** Stores until there is no more room; returns how many were acknowledged, and the reply that was not. */
const fill = async (app: Pick<AppClient, 'post'>) => {
  for (let n = 0; n < 2000; n++) {
    const reply = await app.post('/dogs', { name: `n${n}`, text: TEXT })
    if (reply.status !== 200) return { count: n, reply }
  }
  throw new Error('There was room for everything')
}

const expectUnavailable = ({ status, headers, body }: Awaited<ReturnType<AppClient['post']>>) => {
  expect([status, headers.get('retry-after'), body.error]).toEqual([503, '1', 'unavailable'])
  expect(body.error_description).toContain('nothing was stored')
  expect(JSON.stringify(body)).not.toMatch(/SQLITE|disk|\/tmp/i)
}

it('answers 503 when SQLite may not grow, keeps reading, and works again when it may', async () => {
  let database: SqlDatabase | undefined
  const wrap = (opened: SqlDatabase) => {
    database = opened
    return opened
  }
  await using server = await openTestServer({ database: 'sqlite', wrap })
  const app = new AppClient(server)
  const limitPages = (pages: number) =>
    database!.write((connection) => connection.all(`PRAGMA max_page_count = ${pages}`))
  await app.post('/dogs', { name: 'before', age: 1 })

  await limitPages(200)
  const { count, reply } = await fill(app)

  expectUnavailable(reply)
  expectUnavailable(await app.post('/dogs', { name: 'another', text: TEXT }))
  expectUnavailable(
    await app.post('/dogs', [
      { name: 'x', text: TEXT },
      { name: 'y', text: TEXT },
    ]),
  )
  expect((await app.get('/dogs', { limit: 1000 })).body.count).toBe(count + 1)
  expect(await app.find('/dogs', 'age = 1')).toEqual(['before'])
  await limitPages(1_000_000)
  expect((await app.post('/dogs', { name: `n${count}`, text: TEXT })).status).toBe(200)
  expect((await app.get('/dogs', { limit: 1000 })).body.count).toBe(count + 2)
})

const mount = (folder: string, options: string): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

it('answers 503 when the disk is full, keeps reading, and works again when there is room', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'entigrid-full-'))
  // Only root can make a small disk.
  if (!mount(folder, 'size=6m')) return context.skip()
  try {
    const engine = await openEngine({
      database: `sqlite:${join(folder, 'test.db')}`,
      secret: 'a secret that only tests know, long enough',
    })
    await engine.bootstrap({ username: 'owner', password: 'a password for tests', organization: 'test' })
    const server = await startServer(engine, { port: 0 })
    const post = async (path: string, body: object) => {
      const response = await fetch(`${server.url}/test/sandbox${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
      })
      return { status: response.status, headers: response.headers, body: await response.json() }
    }
    const count = async () => (await (await fetch(`${server.url}/test/sandbox/dogs?limit=1000`)).json()).count

    const { count: stored, reply } = await fill({ post })
    expectUnavailable(reply)
    expectUnavailable(await post('/dogs', { name: 'another', text: TEXT }))
    expect(await count()).toBe(stored)
    expect(mount(folder, 'remount,size=64m')).toBe(true)
    expect((await post('/dogs', { name: 'after', text: TEXT })).status).toBe(200)
    expect(await count()).toBe(stored + 1)

    await server.close()
    await engine.close()
  } finally {
    execFileSync('umount', ['-l', folder], { stdio: 'pipe' })
    await rm(folder, { recursive: true, force: true })
  }
})
