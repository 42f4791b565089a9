import { type Command, openInstallation } from '../support/installation.js'
import { startPostgres } from '../support/postgres.js'
import type { Door } from './door.js'

/** What can be killed. */
export type Victim = 'server' | 'database' | 'both'

/** One server or several, in processes of their own, on a database of their own. */
export interface Target extends AsyncDisposable {
  readonly doors: readonly Door[]
  /** URL of the database. */
  readonly database: string
  readonly victims: readonly Victim[]
  /** Ends it at once; `signal` is for the database alone. */
  kill(victim: Victim, signal?: NodeJS.Signals): Promise<void>
  /** Starts again what was killed; resolves when requests are answered. */
  start(victim: Victim): Promise<void>
}

export const DATABASES = ['sqlite', 'postgres'] as const
export type DatabaseName = (typeof DATABASES)[number]

export const PASSWORD = 'a password for tests'

export const ENV = {
  ENTIGRID_ADMIN_PASSWORD: PASSWORD,
  ENTIGRID_SECRET: 'a secret that only tests know, long enough',
  ENTIGRID_LOG_LEVEL: 'error',
  // Counted, but never refused.
  ENTIGRID_RATE_ADDRESS: '1000000000',
  ENTIGRID_RATE_PRINCIPAL: '1000000000',
}

export const openTarget = (database: DatabaseName): Promise<Target> =>
  database === 'sqlite' ? openSqliteTarget() : openPostgresTarget()

const openSqliteTarget = async (): Promise<Target> => {
  const installation = openInstallation(ENV)
  const server = new Server(() => installation.entigrid('start', '--port', '0'))
  await server.start()
  return {
    doors: [server],
    database: `sqlite:${installation.folder}/data/entigrid.db`,
    victims: ['server'],
    kill: () => server.kill(),
    start: () => server.start(),
    [Symbol.asyncDispose]: async () => {
      await server.kill()
      installation[Symbol.dispose]()
    },
  }
}

/** `settings` are those of PostgreSQL. */
export const openPostgresTarget = async ({
  servers: count = 1,
  settings = {},
}: {
  servers?: number
  settings?: Record<string, string>
} = {}): Promise<Target> => {
  const postgres = await startPostgres(settings)
  const installation = openInstallation({ ...ENV, ENTIGRID_DATABASE_URL: postgres.url })
  const servers = Array.from(
    { length: count },
    () => new Server(() => installation.entigrid('start', '--port', '0')),
  )
  const all = (work: (server: Server) => Promise<void>) => Promise.all(servers.map(work))
  const end = async (): Promise<void> => {
    await all((server) => server.kill())
    installation[Symbol.dispose]()
    await postgres.stop()
  }
  try {
    await all((server) => server.start())
  } catch (error) {
    await end()
    throw error
  }
  return {
    doors: servers,
    database: postgres.url,
    victims: ['server', 'database', 'both'],
    kill: async (victim, signal) => {
      const ended = victim === 'database' ? [] : [all((server) => server.kill())]
      if (victim !== 'server') ended.push(postgres.kill(signal).then(() => []))
      await Promise.all(ended)
    },
    start: async (victim) => {
      if (victim !== 'server') await postgres.start()
      if (victim !== 'database') await all((server) => server.start())
    },
    [Symbol.asyncDispose]: end,
  }
}

/** The process of a server, started again and again. */
class Server implements Door {
  readonly #launch: () => Command
  #command: Command | null = null
  #url = ''

  constructor(launch: () => Command) {
    this.#launch = launch
  }

  get url(): string {
    return `${this.#url}/demo/sandbox`
  }

  async start(): Promise<void> {
    this.#command ??= this.#launch()
    this.#url = await this.#command.welcomed()
  }

  async kill(): Promise<void> {
    const command = this.#command
    this.#command = null
    command?.stop('SIGKILL')
    await command?.ended
  }
}
