import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { backup, DatabaseError, type Engine, examine, openEngine } from '@entigrid/core'
import { DATABASES, openTestDatabase } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../../packages/core/src/storage/typeorm/open-database.js'
import { run } from '../../../packages/server/src/commands.js'
import { request } from '../../support/http-server.js'
import { openInstallation } from '../../support/installation.js'

const OPTIONS = {
  secret: 'a secret that only tests know, long enough',
  passwordCost: { memoryCost: 1024, timeCost: 1, parallelism: 1 },
}

const openFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'entigrid-operations-'))
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

/** What a command prints, what else it says, and its exit code. */
const command = async (folder: string, ...argv: string[]) => {
  const said = { printed: '', told: '' }
  const code = await run(argv, {
    env: {},
    folder,
    version: '1',
    openEngine: () => Promise.reject(new Error('No engine is needed')),
    print: (text) => {
      said.printed += text
    },
    tell: (text) => {
      said.told += text
    },
    stopped: Promise.resolve(),
  })
  return { code, ...said }
}

const open = async (database: string, options: object = {}) => {
  const engine = await openEngine({ database, ...options, ...OPTIONS })
  await engine.bootstrap({ username: 'owner', password: 'a password for tests', organization: 'test' })
  return engine
}

const sandbox = (engine: Engine) => engine.app('test/sandbox').asSystem('a test')

/** A closed database with one dog of that name. */
const makeDatabase = async (file: string, name: string): Promise<void> => {
  const engine = await open(`sqlite:${file}`)
  await (await sandbox(engine)).create('dogs', { name })
  await engine.close()
}

const dogsIn = async (file: string): Promise<string[]> => {
  const engine = await openEngine({ database: `sqlite:${file}`, ...OPTIONS })
  const { entities } = await (await sandbox(engine)).list('dogs', { limit: 1000 })
  await engine.close()
  return entities.map(({ name }) => String(name))
}

describe('entigrid backup', () => {
  it('copies what was acknowledged before, while others write, into a file that only its owner may read', async () => {
    using place = openFolder()
    const [url, copy] = [`sqlite:${join(place.folder, 'live.db')}`, join(place.folder, 'copy.db')]
    await using engine = Object.assign(await open(url), {
      async [Symbol.asyncDispose](this: Engine) {
        await this.close()
      },
    })
    const session = await sandbox(engine)
    const acknowledged: string[] = []
    let isOver = false
    let isBusy = () => {}
    const busy = new Promise<void>((resolve) => {
      isBusy = resolve
    })
    const write = async (n: number) => {
      for (let i = 0; !isOver; i++) {
        const name = `dog ${n} ${i}`
        await session.create('dogs', { name, age: i, text: 'woof '.repeat(50) })
        acknowledged.push(name)
        if (i === 20) isBusy()
      }
    }
    const writing = [1, 2, 3, 4].map(write)
    await busy

    const before = [...acknowledged]
    const { code, printed } = await command(place.folder, 'backup', copy, '--database-url', url)
    isOver = true
    await Promise.all(writing)

    expect(code).toBe(0)
    expect(acknowledged.length).toBeGreaterThan(before.length)
    expect(printed).toContain('secret is not in it')
    expect(statSync(copy).mode & 0o777).toBe(0o600)
    expect(await examine(`sqlite:${copy}`)).toMatchObject({ findings: [], complete: true })
    const kept = new Set(await dogsIn(copy))
    expect(before.filter((name) => !kept.has(name))).toEqual([])
    expect(readdirSync(place.folder).filter((name) => name.includes('draft'))).toEqual([])
  })

  it('never overwrites a file, and leaves nothing behind when it cannot copy', async () => {
    using place = openFolder()
    const file = join(place.folder, 'live.db')
    await makeDatabase(file, 'rex')
    const there = join(place.folder, 'there')
    writeFileSync(there, 'mine')
    const tell = async (target: string, source = file) =>
      (await command(place.folder, 'backup', target, '--database-url', `sqlite:${source}`)).told

    expect(await tell(there)).toBe(`entigrid: There is a file ${there} already: name another\n`)
    expect(await tell(join(place.folder, 'no', 'x'))).toMatch(
      /^entigrid: \S+ cannot be written \(ENOENT\): .+\n$/,
    )
    expect(await tell('x', join(place.folder, 'none.db'))).toMatch(
      /^entigrid: There is no file \S+none\.db\n$/,
    )
    expect(await tell('x', there)).toMatch(/SQLITE_NOTADB/)
    expect(readFileSync(there, 'utf8')).toBe('mine')
    expect(readdirSync(place.folder).filter((name) => !name.startsWith('live.db'))).toEqual(['there'])
  })
})

describe('entigrid restore', () => {
  it('replaces a database that no server runs on, keeps the old one, and speaks of the secret', async () => {
    using made = openInstallation()
    const copy = join(made.folder, 'copy.db')
    const file = join(made.folder, 'data', 'entigrid.db')
    const url = `sqlite:${file}`
    const restore = (...flags: string[]) =>
      command(made.folder, 'restore', copy, ...flags, '--database-url', url)
    const server = made.entigrid('start', '--port', '0', '--log-level', 'silent')
    const root = await server.welcomed()
    const post = (name: string) =>
      request(`${root}/demo/sandbox/dogs`, { method: 'POST', body: JSON.stringify({ name }) })
    await post('kept')
    await backup(url, copy)
    await post('later')

    const inUse = await restore('--force')
    expect(inUse).toEqual({
      code: 1,
      printed: '',
      told: `entigrid: ${file} is in use: stop the server that runs on it, and try again\n`,
    })
    expect((await request(`${root}/demo/sandbox/dogs/later`)).status).toBe(200)
    server.stop('SIGTERM')
    await server.ended
    expect((await restore()).told).toMatch(/^entigrid: There is a database at \S+: with --force [^\n]+\n$/)
    const done = await restore('--force')

    expect(done.code).toBe(0)
    expect(done.printed).toContain(`${file}.secret`)
    const aside = /kept as (\S+)/.exec(done.printed)![1]!
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const again = made.entigrid('start', '--port', '0', '--log-level', 'silent')
    const restored = `${await again.welcomed()}/demo/sandbox/dogs`
    expect((await request(`${restored}/kept`)).status).toBe(200)
    expect((await request(`${restored}/later`)).status).toBe(404)
    expect(await examine(`sqlite:${aside}`)).toMatchObject({ findings: [], complete: true })
  })

  it('brings a database where there was none', async () => {
    using place = openFolder()
    const [source, target] = [join(place.folder, 'source.db'), join(place.folder, 'target.db')]
    await makeDatabase(source, 'rex')
    await backup(`sqlite:${source}`, join(place.folder, 'copy.db'))

    const { code } = await command(
      place.folder,
      'restore',
      join(place.folder, 'copy.db'),
      '--database-url',
      `sqlite:${target}`,
    )

    expect(code).toBe(0)
    expect(await dogsIn(target)).toEqual(['rex'])
  })

  it('touches nothing when the backup is damaged, of a newer release, in use, or none', async () => {
    using place = openFolder()
    const at = (name: string) => join(place.folder, name)
    await makeDatabase(at('live.db'), 'rex')
    await backup(`sqlite:${at('live.db')}`, at('damaged.db'))
    const bytes = readFileSync(at('damaged.db'))
    bytes.fill(0xa5, bytes.length - 20_000, bytes.length - 10_000)
    writeFileSync(at('damaged.db'), bytes)
    await makeDatabase(at('newer.db'), 'max')
    const newer = await openDatabase(`sqlite:${at('newer.db')}`)
    await newer.write((connection) =>
      connection.run("INSERT INTO entigrid_migrations (timestamp, name) VALUES (1, 'Later9999999999999')"),
    )
    await newer.close()
    writeFileSync(at('text.db'), 'not a database '.repeat(100))
    const inUse = await openDatabase(`sqlite:${at('in-use.db')}`)
    const before = readFileSync(at('live.db'))

    for (const [name, reason] of [
      ['damaged.db', /damaged/],
      ['newer.db', /newer/],
      ['text.db', /no SQLite database/],
      ['none.db', /There is no file/],
      ['in-use.db', /not whole/],
    ] as const) {
      const { code, told } = await command(
        place.folder,
        'restore',
        at(name),
        '--force',
        '--database-url',
        `sqlite:${at('live.db')}`,
      )
      expect([code, told]).toEqual([1, expect.stringMatching(/^entigrid: [^\n]+\n$/)])
      expect(told).toMatch(reason)
    }
    await inUse.close()
    expect(readFileSync(at('live.db')).equals(before)).toBe(true)
    expect(readdirSync(place.folder).filter((name) => /replaced|draft/.test(name))).toEqual([])
  })
})

it.each([
  ['backup', "pg_dump --format=custom --file='it'\\''s.dump' 'postgres://ann@db:5432/x'"],
  [
    'restore',
    "pg_restore --clean --if-exists --single-transaction --dbname='postgres://ann@db:5432/x' 'it'\\''s.dump'",
  ],
])('entigrid %s names the command for PostgreSQL, without the password', async (name, line) => {
  using place = openFolder()

  const said = await command(
    place.folder,
    name,
    "it's.dump",
    '--database-url',
    'postgres://ann:pass%21word@db:5432/x',
  )

  expect(said.code).toBe(1)
  expect(said.told).toContain(`run: ${line} `)
  expect(said.told).not.toContain('pass%21')
})

describe.each(DATABASES)('entigrid doctor on %s', (name) => {
  it('ends with 0 when all is well, 1 when something is wrong, and mends it when asked to', async () => {
    using folder = openFolder()
    await using place = await openTestDatabase(name)
    // The command knows no schemas.
    const url = name === 'sqlite' ? place.url : `${place.url}?options=-csearch_path%3D${place.options.schema}`
    const engine = await open(place.url, place.options)
    await (await sandbox(engine)).create('dogs', { name: 'rex' })
    await engine.close()
    const doctor = (...flags: string[]) => command(folder.folder, 'doctor', ...flags, '--database-url', url)

    const healthy = await doctor()
    const database = await openDatabase(place.url, place.options)
    await database.write((connection) => connection.run('DELETE FROM entity_unique'))
    await database.close()
    const sick = await doctor()
    const mended = await doctor('--repair')
    const after = await doctor()

    expect(healthy).toMatchObject({
      code: 0,
      printed: 'All is well\n',
      told: expect.stringContaining('entities 100 %'),
    })
    expect(sick.code).toBe(1)
    expect(sick.printed).toMatch(
      /\d+ × unique value that is not held \(unique_missing\)\n +\w+ of \w+\/\S+ \(application \d+\)\n/,
    )
    expect(mended).toMatchObject({
      code: 0,
      printed: expect.stringMatching(/^Found:\n[\s\S]*All is mended\n$/),
    })
    expect(after.code).toBe(0)
  })
})

it('entigrid doctor ends with 2, and makes nothing, where there is no database', async () => {
  using place = openFolder()
  const file = join(place.folder, 'none.db')

  const { code, told } = await command(place.folder, 'doctor', '--database-url', `sqlite:${file}`)

  expect([code, told]).toEqual([2, `Examining ${file}\nentigrid: There is no file ${file}\n`])
  expect(existsSync(file)).toBe(false)
  await expect(examine('sqlite::memory:')).rejects.toBeInstanceOf(DatabaseError)
})
