import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startPostgres } from '../support/postgres.js'
import type { Pids } from './load/protocol.js'
import { freePort, LOAD_CORE, pinSelf, postgresPid, SERVER_CORE, spawnPinned } from './processes.js'
import type { Place, Program, Target } from './target.js'
import { loadTarget } from './targets.js'

/** Durable, and as a careful administrator would run it, unlike the one that the tests use. */
const POSTGRES_SETTINGS = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
}
const READY_SECONDS = 60
const STOP_SECONDS = 15

export interface Postgres {
  /** The address of a new, empty database. */
  database(name: string): Promise<string>
  pid: number | undefined
  stop(): Promise<void>
}

/** PostgreSQL on the core of the servers, so that what it uses is taken from them. */
export const openPostgres = async (): Promise<Postgres> => {
  pinSelf(SERVER_CORE)
  const { url, stop } = await startPostgres(POSTGRES_SETTINGS)
  pinSelf(LOAD_CORE)
  return { database: (name) => createDatabase(url, name), pid: postgresPid(), stop }
}

const createDatabase = async (url: string, name: string): Promise<string> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return Object.assign(new URL(url), { pathname: `/${name}` }).href
}

/** A target whose server runs on the core of the servers, with data of its own. */
export interface Running {
  name: string
  target: Target
  url: string
  place: Place
  pids: Pids
  stop(): Promise<void>
}

/** `label` sets databases of the same target apart. */
export const startTarget = async (
  name: string,
  label: string,
  postgres: Postgres | null,
): Promise<Running> => {
  const target = await loadTarget(name)
  const folder = mkdtempSync(join(tmpdir(), `entigrid-bench-${name}-`))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const forget = atExit(remove)
  const databaseName = `bench_${name}_${label}`.replace(/\W/g, '_')
  const postgresUrl = target.postgres ? await postgres!.database(databaseName) : ''
  const place = { folder, port: await freePort(), postgresUrl }
  const url = `http://127.0.0.1:${place.port}`
  const logFile = join(folder, 'server.log')

  for (const program of target.before?.(place) ?? []) await complete(program, logFile)
  const server = open(target.program(place), logFile)
  await ready(server, url + target.readyPath, target.title, logFile)
  return {
    name,
    target,
    url,
    place,
    pids: { server: server.pid!, ...(target.postgres && { database: postgres!.pid }) },
    stop: async () => {
      await end(server)
      remove()
      forget()
    },
  }
}

const exits = new Set<() => void>()
process.once('exit', () => {
  for (const work of exits) work()
})

/** Has `work` done when this process ends, unless the result is called before. */
const atExit = (work: () => void): (() => void) => {
  exits.add(work)
  return () => void exits.delete(work)
}

const open = (program: Program, logFile: string): ChildProcess => {
  const log = openSync(logFile, 'a')
  const child = spawnPinned(SERVER_CORE, program, { stdio: ['ignore', log, log] })
  child.once(
    'exit',
    atExit(() => void child.kill('SIGKILL')),
  )
  return child
}

const complete = async (program: Program, logFile: string): Promise<void> => {
  const child = open(program, logFile)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${program.command} ended with ${code}:\n${tail(logFile)}`)
}

const ready = async (server: ChildProcess, url: string, title: string, logFile: string): Promise<void> => {
  const deadline = Date.now() + READY_SECONDS * 1000
  while (!(await answers(url))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      server.kill('SIGKILL')
      throw new Error(`${title} did not start:\n${tail(logFile)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const answers = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(url)
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

const end = async (server: ChildProcess): Promise<void> => {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill('SIGTERM')
  const late = setTimeout(() => server.kill('SIGKILL'), STOP_SECONDS * 1000)
  await ended
  clearTimeout(late)
}

const tail = (logFile: string): string => readFileSync(logFile, 'utf8').slice(-3000)
