import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseError, type Engine, examine, openEngine } from '@entigrid/core'
import { startServer } from '@entigrid/server'
import { expect, it } from 'vitest'
import { openDatabase } from '../../../packages/core/src/storage/typeorm/open-database.js'
import type { SqliteDatabase } from '../../../packages/core/src/storage/typeorm/sqlite/sqlite-database.js'
import { run } from '../../../packages/server/src/commands.js'
import { AppClient } from '../../support/app-client.js'
import { openTestServer } from '../../support/server.js'

const SECRET = 'a secret that only tests know, long enough'
const PAGE = 8192
const DOGS = 600

interface Line {
  fields: object
  message: string
}

const openFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entigrid-damaged-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

const open = (file: string, errors: Line[] = []): Promise<Engine> => {
  const silent = () => undefined
  const error = (fields: object, message: string) => void errors.push({ fields, message })
  return openEngine({
    database: `sqlite:${file}`,
    secret: SECRET,
    passwordCost: { memoryCost: 1024, timeCost: 1, parallelism: 1 },
    log: { info: silent, warn: silent, error },
  })
}

/** A database of many dogs, closed again. */
const makeDatabase = async (file: string): Promise<void> => {
  const engine = await open(file)
  await engine.bootstrap({ username: 'owner', password: 'a password for tests', organization: 'test' })
  const session = await engine.app('test/sandbox').asSystem('a test')
  const dogs = Array.from({ length: DOGS }, (_, n) => ({ name: `dog${n}.`, text: 'woof '.repeat(200) }))
  await session.createMany('dogs', dogs)
  await engine.close()
}

/** Overwrites a page, by its number from 1. */
const destroyPage = (file: string, page: number): void => {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(PAGE, 0xa5), 0, PAGE, (page - 1) * PAGE)
  closeSync(descriptor)
}

/** Overwrites the page that holds a document. */
const destroyPageOf = (file: string, text: string): void =>
  destroyPage(file, Math.floor(readFileSync(file).indexOf(text) / PAGE) + 1)

/** Overwrites the page that all ways to an entity lead through. */
const destroyRoot = async (file: string): Promise<void> => {
  const database = await openDatabase(`sqlite:${file}`)
  const [row] = await database.read((connection) =>
    connection.all<{ rootpage: number }>("SELECT rootpage FROM sqlite_master WHERE name = 'entity'"),
  )
  await database.close()
  destroyPage(file, row!.rootpage)
}

/** What a command says to people, and its exit code. */
const command = async (folder: string, ...argv: string[]) => {
  const told: string[] = []
  const code = await run(argv, {
    env: { ENTIGRID_LOG_LEVEL: 'silent' },
    folder,
    version: '1',
    openEngine,
    print: (text) => void told.push(text),
    tell: (text) => void told.push(text),
    stopped: Promise.resolve(),
  })
  return { code, told }
}

const serve = async (file: string, errors: Line[]) => {
  const engine = await open(file, errors)
  const server = await startServer(engine, { port: 0 })
  const send = async (method: string, path: string, body?: object) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const response = await fetch(`${server.url}${path}`, init)
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
  const close = async () => {
    await server.close()
    await engine.close()
  }
  return { send, [Symbol.asyncDispose]: close }
}

it('answers 503 where a page of the file is damaged, says so in the log, and serves the rest', async () => {
  await using place = await openFolder()
  const file = join(place.folder, 'test.db')
  await makeDatabase(file)
  destroyPageOf(file, '"name":"dog300."')
  const errors: Line[] = []

  await using server = await serve(file, errors)
  const hit = [
    await server.send('GET', '/test/sandbox/dogs/dog300.'),
    await server.send('PUT', '/test/sandbox/dogs/dog300.', { age: 3 }),
    await server.send('GET', `/test/sandbox/dogs?limit=${DOGS}`),
    await server.send('DELETE', '/test/sandbox/dogs/dog300.'),
  ]

  for (const { status, headers, body } of hit) {
    expect([status, headers.get('retry-after'), body.error]).toEqual([503, '1', 'unavailable'])
    expect(JSON.stringify(body)).not.toMatch(/SQLITE|malformed|\/tmp/i)
  }
  expect(errors).toHaveLength(hit.length)
  for (const { fields, message } of errors) {
    expect(fields).toMatchObject({ err: { code: expect.stringMatching(/^SQLITE_CORRUPT/) } })
    expect(message).toContain('entigrid doctor')
  }
  expect((await server.send('GET', '/test/sandbox/dogs/dog5.')).status).toBe(200)
  expect((await server.send('GET', '/health')).status).toBe(200)
})

it('answers 503 to everything when the whole of a table is out of reach, and lives', async () => {
  await using place = await openFolder()
  const file = join(place.folder, 'test.db')
  await makeDatabase(file)
  await destroyRoot(file)

  await using server = await serve(file, [])
  const replies = [
    await server.send('GET', '/test/sandbox/dogs/dog5.'),
    await server.send('POST', '/test/sandbox/dogs', { name: 'new' }),
    await server.send('POST', '/management/token', {
      grant_type: 'password',
      username: 'owner',
      password: 'x',
    }),
  ]

  expect(replies.map(({ status, body }) => [status, body.error])).toEqual(
    replies.map(() => [503, 'unavailable']),
  )
  expect((await server.send('GET', '/health')).status).toBe(200)
  const url = `sqlite:${file}`
  const started = await command(place.folder, 'start', '--port', '0', '--database-url', url)
  expect(started).toEqual({
    code: 1,
    told: [
      expect.stringMatching(/^entigrid: The database \S+ cannot be used: the file is damaged: [^\n]+\n$/),
    ],
  })
  const examined = await command(place.folder, 'doctor', '--database-url', url)
  expect(examined.code).toBe(2)
  expect(examined.told.at(-1)).toContain('Not everything could be read')
})

it('is found out by an examination, which a repair cannot help', async () => {
  await using place = await openFolder()
  const file = join(place.folder, 'test.db')
  await makeDatabase(file)
  destroyPageOf(file, '"name":"dog300."')

  for (const repair of [false, true]) {
    const { findings, complete } = await examine(`sqlite:${file}`, { repair })

    expect(complete).toBe(false)
    expect(findings.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['file', 'unreadable']))
  }
})

it.each([
  ['that was cut off', (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2)), 'CORRUPT'],
  [
    'of another format',
    (file: string) => writeFileSync(file, 'a text, not a database\n'.repeat(500)),
    'NOTADB',
  ],
  ['whose first page is damaged', (file: string) => destroyPageOf(file, 'SQLite format 3'), 'NOTADB'],
])('does not start on a file %s, and says on one line what to do', async (_, damage, code) => {
  await using place = await openFolder()
  const file = join(place.folder, 'test.db')
  await makeDatabase(file)
  damage(file)

  const { code: exit, told } = await command(
    place.folder,
    'start',
    '--port',
    '0',
    '--database-url',
    `sqlite:${file}`,
  )

  expect(exit).toBe(1)
  expect(told).toEqual([
    expect.stringMatching(
      new RegExp(
        `^entigrid: The database file ${file} cannot be used \\(SQLITE_${code}\\): [^\\n]*backup[^\\n]*\\n$`,
      ),
    ),
  ])
})

it('answers 503 when the file is cut off under a running server, and lives', async () => {
  await using place = await openFolder()
  const file = join(place.folder, 'test.db')
  await makeDatabase(file)
  const errors: Line[] = []
  await using server = await serve(file, errors)
  expect((await server.send('GET', '/test/sandbox/dogs/dog5.')).status).toBe(200)

  truncateSync(file, Math.floor(statSync(file).size / 2))
  const replies = [
    await server.send('GET', '/test/sandbox/dogs/dog300.'),
    await server.send('POST', '/test/sandbox/dogs', { name: 'new' }),
  ]

  expect(replies.map(({ status }) => status)).toEqual([503, 503])
  expect(errors).toHaveLength(2)
  expect((await server.send('GET', '/health')).status).toBe(200)
  expect((await server.send('GET', '/health/ready')).status).toBe(503)
})

it('answers 503 while the file may not be written, and keeps reading', async () => {
  let database: SqliteDatabase | undefined
  const errors: Line[] = []
  const silent = () => undefined
  const error = (fields: object, message: string) => void errors.push({ fields, message })
  await using server = await openTestServer({
    database: 'sqlite',
    options: { log: { info: silent, warn: silent, error } },
    wrap: (opened) => {
      database = opened as SqliteDatabase
      return opened
    },
  })
  const app = new AppClient(server)
  await app.post('/dogs', { name: 'before' })
  const setReadOnly = async (value: 'ON' | 'OFF') => {
    const writer = await database!.takeWriter()
    await writer.all(`PRAGMA query_only = ${value}`)
    database!.giveWriter(writer)
  }

  await setReadOnly('ON')
  const { status, headers, body } = await app.post('/dogs', { name: 'during' })

  expect([status, headers.get('retry-after'), body.error]).toEqual([503, '1', 'unavailable'])
  expect(errors).toEqual([
    {
      fields: { err: expect.objectContaining({ code: 'SQLITE_READONLY' }) },
      message: expect.stringContaining('read-only'),
    },
  ])
  expect((await app.get('/dogs')).body.count).toBe(1)
  await setReadOnly('OFF')
  expect((await app.post('/dogs', { name: 'after' })).status).toBe(200)
})

const mount = (folder: string, options: string): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

it('does not start on a disk that is mounted read-only, and says so', async (context) => {
  await using place = await openFolder()
  // Only root can make a disk.
  if (!mount(place.folder, 'size=16m')) return context.skip()
  try {
    const file = join(place.folder, 'test.db')
    await makeDatabase(file)
    expect(mount(place.folder, 'remount,ro')).toBe(true)

    const failure = await open(file).catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(DatabaseError)
    expect((failure as Error).message).toMatch(
      /^The database file \S+ cannot be used \(SQLITE_\w+\): [^\n]+$/,
    )
  } finally {
    execFileSync('umount', ['-l', place.folder], { stdio: 'pipe' })
  }
})
