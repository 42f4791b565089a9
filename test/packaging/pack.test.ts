import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGES = ['core', 'server', 'sdk'] as const
/** A build, and an installation that may have to fetch packages. */
const PATIENCE = 300_000

interface Packed {
  name: string
  filename: string
  files: string[]
}

let folder: string
let app: string
let packed: Packed[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entigrid-pack-'))
  app = join(folder, 'app')
  await build(join(folder, 'workspace'))
  packed = await Promise.all(PACKAGES.map(pack))
  await install()
}, PATIENCE)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Takes over what the sources of the packages are built to, and nothing else that lies about in `dist` folders. */
const build = async (workspace: string): Promise<void> => {
  // Next to nothing to do after `npm test` has built all.
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b'], { cwd: ROOT })
  for (const name of PACKAGES) {
    const source = join(ROOT, 'packages', name)
    const filter = (path: string) => {
      const built = relative(join(source, 'dist'), path)
      return built.startsWith('..') || hasSource(source, built)
    }
    await cp(source, join(workspace, 'packages', name), { recursive: true, filter })
  }
}

/** Whether a file or folder in `dist` comes from one in `src`. */
const hasSource = (folder: string, built: string): boolean => {
  const source = join(folder, 'src', built)
  return existsSync(source) || existsSync(source.replace(/(\.js|\.js\.map|\.d\.ts)$/, '.ts'))
}

const pack = async (name: string): Promise<Packed> => {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: join(folder, 'workspace', 'packages', name),
  })
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  return { name, filename, files: files.map(({ path }) => path) }
}

/**
 * Installs the tarballs as anybody would, but for the scripts of dependencies: the only one that matters compiles
 * `sqlite3`, which takes minutes and gives the binary that this workspace has already.
 */
const install = async (): Promise<void> => {
  await mkdir(app)
  await writeFile(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const tarballs = packed.map(({ filename }) => join(folder, filename))
  const quietly = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', ['install', ...quietly, ...tarballs, 'express@^5.1.0'], { cwd: app })
  const binaries = 'node_modules/sqlite3/build/Release'
  const isBinary = (file: string) => file.endsWith('.node')
  await mkdir(join(app, binaries), { recursive: true })
  for (const file of (await readdir(join(ROOT, binaries))).filter(isBinary))
    await cp(join(ROOT, binaries, file), join(app, binaries, file))
}

const filesOf = (name: string) => packed.find((one) => one.name === name)!.files

describe.each(PACKAGES)('the package %s', (name) => {
  it('has its licence, its readme and what was built, and nothing else', () => {
    const others = filesOf(name).filter((file) => !/^dist\/[\w/-]+\.(js|js\.map|d\.ts)$/.test(file))

    expect(others.sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
    expect(filesOf(name)).toContain('dist/index.js')
  })

  it('has every module with its types, its map and the source that the map shows', async () => {
    const modules = filesOf(name).filter((file) => file.endsWith('.js'))
    const expected = modules.flatMap((file) => [file, `${file}.map`, file.replace(/js$/, 'd.ts')])
    const map = await readFile(join(app, 'node_modules/@entigrid', name, 'dist/index.js.map'), 'utf8')

    expect(
      filesOf(name)
        .filter((file) => file.startsWith('dist/'))
        .sort(),
    ).toEqual(expected.sort())
    expect(JSON.parse(map)).toMatchObject({ sourcesContent: [expect.stringContaining('export')] })
  })
})

it('installs each of the packages once', async () => {
  const { stdout } = await run('npm', ['ls', '--all', '--json'], { cwd: app })
  const seen = new Map<string, Set<string>>()
  const walk = (dependencies: Tree['dependencies'] = {}) => {
    for (const [name, { version, dependencies: further }] of Object.entries(dependencies)) {
      if (name.startsWith('@entigrid/')) seen.set(name, (seen.get(name) ?? new Set()).add(version))
      walk(further)
    }
  }

  walk((JSON.parse(stdout) as Tree).dependencies)

  expect(Object.fromEntries([...seen].map(([name, versions]) => [name, versions.size]))).toEqual({
    '@entigrid/core': 1,
    '@entigrid/sdk': 1,
    '@entigrid/server': 1,
  })
})

interface Tree {
  dependencies?: Record<string, Tree & { version: string }>
}

it('has a command that knows its version', async () => {
  const { version } = JSON.parse(await readFile(join(ROOT, 'packages/server/package.json'), 'utf8')) as {
    version: string
  }

  const { stdout } = await run(join(app, 'node_modules/.bin/entigrid'), ['version'])

  expect(stdout).toBe(`${version}\n`)
})

it('runs the example that embeds the engine', { timeout: 60_000 }, async () => {
  for (const file of ['app.js', 'main.js'])
    await cp(join(ROOT, 'examples/embed-in-express', file), join(app, file))
  const cafe = spawn(process.execPath, ['main.js'], { cwd: app, env: { ...process.env, PORT: '0' } })
  let printed = ''
  cafe.stderr.on('data', (text) => {
    printed += text
  })
  const url = await new Promise<string>((resolve, reject) => {
    cafe.stdout.on('data', (text) => {
      printed += text
      const [found] = /http:\S+/.exec(printed) ?? []
      if (found !== undefined) resolve(found)
    })
    cafe.once('exit', () => reject(new Error(printed)))
  })
  const ended = once(cafe, 'exit')

  const ordered = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"dish":"soup","table":4}',
  })
  const kept = await fetch(`${url}/api/cafe/sandbox/orders`)

  expect(ordered.status).toBe(201)
  expect(await kept.json()).toMatchObject({ entities: [{ dish: 'soup', table: 4 }] })
  cafe.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

it('runs the client', async () => {
  const program = `
    import { openEngine } from '@entigrid/core'
    import { createClient } from '@entigrid/sdk'
    const engine = await openEngine({ database: 'sqlite::memory:' })
    await engine.bootstrap({ username: 'admin', organization: 'demo' })
    const client = createClient({ engine, organization: 'demo', application: 'sandbox' })
    console.log((await client.collection('dogs').create({ name: 'fido' })).name)
    await engine.close()
  `

  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: app })

  expect(stdout).toBe('fido\n')
})
