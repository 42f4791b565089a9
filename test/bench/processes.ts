import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import type { Program } from './target.js'

/** Servers run on one core and the load on another, where the machine allows that. */
export const SERVER_CORE = 0
export const LOAD_CORE = 1

const TICKS_PER_SECOND = 100

const canPin = (): boolean => {
  if (availableParallelism() < 2) return process.env['ENTIGRID_BENCH_PINNED'] === '1'
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' })
    process.env['ENTIGRID_BENCH_PINNED'] = '1'
    return true
  } catch {
    return false
  }
}
/** A process that is pinned itself sees one core only, so the first one tells those that it starts. */
export const PINNED = canPin()

/** Everything that this process starts from now on, or itself, runs on `core`. */
export const pinSelf = (core: number): void => {
  if (PINNED) execFileSync('taskset', ['-p', '-c', String(core), String(process.pid)], { stdio: 'ignore' })
}

/** The id of the process is the program's own, for `taskset` becomes the program. */
export const spawnPinned = (
  core: number,
  { command, args, env }: Program,
  options: SpawnOptions,
): ChildProcess => {
  const given = { ...options, env: { ...process.env, NODE_ENV: 'production', ...env } }
  return PINNED
    ? spawn('taskset', ['-c', String(core), command, ...args], given)
    : spawn(command, args, given)
}

/** CPU seconds of a process and of everything that it started, ended ones included. */
export const cpuSeconds = (pid: number): number =>
  familyOf(pid).reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_PER_SECOND

/** MiB in memory of a process and everything that it started: `VmRSS` now, `VmHWM` at most. */
export const memory = (pid: number, field: 'VmRSS' | 'VmHWM'): number => {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm')
  const kilobytes = familyOf(pid).map((member) =>
    Number(line.exec(readProc(`${member.pid}/status`))?.[1] ?? 0),
  )
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024
}

/** The process that serves PostgreSQL, which is a child of ours. */
export const postgresPid = (): number | undefined =>
  processes().find(({ parent, name }) => parent === process.pid && name === 'postgres')?.pid

interface ProcessState {
  pid: number
  name: string
  parent: number
  /** Of CPU time in user and kernel mode, its own and of children that have ended. */
  ticks: number
}

const processes = (): ProcessState[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      const stat = readProc(`${pid}/stat`)
      if (stat === '') return []
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
      return [{ pid: Number(pid), name, parent: Number(fields[1]), ticks }]
    })

/** A process and all its descendants. */
const familyOf = (pid: number): ProcessState[] => {
  const all = processes()
  const family = all.filter((state) => state.pid === pid)
  for (const member of family) family.push(...all.filter(({ parent }) => parent === member.pid))
  return family
}

/** Empty for a process that has ended. */
const readProc = (path: string): string => {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}

export const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}
