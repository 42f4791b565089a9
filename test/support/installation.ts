import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const CLI = join(dirname(createRequire(import.meta.url).resolve('@entigrid/server')), 'cli.js')

/** A running command of the built command line. */
export interface Command {
  /** What it has printed so far. */
  readonly said: { out: string; err: string }
  /** The exit code; `null` when a signal ended it. */
  readonly ended: Promise<number | null>
  /** The URL of a server, once it takes requests. Rejects when it ends before that. */
  welcomed(): Promise<string>
  stop(signal: NodeJS.Signals): void
}

/** A folder for one installation, with the processes that were started in it; both go at the end of the block. */
export interface Installation extends Disposable {
  readonly folder: string
  /** Runs `entigrid` with these arguments. `env` is all of its environment but for `PATH`. */
  entigrid(...args: string[]): Command
}

export const openInstallation = (env: Record<string, string> = {}): Installation => {
  const folder = mkdtempSync(join(tmpdir(), 'entigrid-start-'))
  const children: ChildProcess[] = []
  const entigrid = (...args: string[]): Command => {
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    const said = { out: '', err: '' }
    child.stdout.on('data', (chunk) => {
      said.out += chunk
    })
    child.stderr.on('data', (chunk) => {
      said.err += chunk
    })
    const ended = once(child, 'close').then(([code]) => code as number | null)
    const welcomed = async (): Promise<string> => {
      let isRunning = true
      const end = ended.then(() => {
        isRunning = false
      })
      while (!said.err.includes('is open to everybody')) {
        if (!isRunning) throw new Error(`The server ended instead of starting: ${said.err}`)
        await Promise.race([once(child.stderr, 'data'), end])
      }
      return /runs at (\S+)/.exec(said.err)![1]!
    }
    return { said, ended, welcomed, stop: (signal) => void child.kill(signal) }
  }
  return {
    folder,
    entigrid,
    [Symbol.dispose]: () => {
      for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
