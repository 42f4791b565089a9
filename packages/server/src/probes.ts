import { type ApiReply, AppError } from '@entigrid/core'
import type { Engine } from './engine.js'

type Probe = (startedAt: number, now: () => number) => Promise<ApiReply>

/** The paths that tell a supervisor how the server does, without authentication. They are never cached. */
export class Probes {
  readonly #engine: Engine
  readonly #started: number
  readonly #probes: ReadonlyMap<string, Probe>

  /** `started` is when the process began to serve, in UTC milliseconds. */
  constructor(engine: Engine, started: number) {
    this.#engine = engine
    this.#started = started
    this.#probes = new Map<string, Probe>([
      ['/health', async () => ok('{"status":"ok"}')],
      ['/health/ready', () => this.#whenReady('{"status":"ok"}')],
      ['/status', (startedAt, now) => this.#status(startedAt, now)],
      ['/lb-status', () => this.#whenReady('')],
    ])
  }

  /** The probe at a path below the mount point, if there is one. */
  find(path: string): Probe | undefined {
    // The longest of the paths; nearly every request is spared the look-up.
    if (path.length > 14) return undefined
    return this.#probes.get(path.endsWith('/') ? path.slice(0, -1) : path)
  }

  async #whenReady(json: string): Promise<ApiReply> {
    try {
      await this.#engine.ready()
    } catch (cause) {
      throw new AppError('unavailable', 'The database cannot be reached', { cause, retryAfter: 1 })
    }
    return ok(json)
  }

  /** The names of Usergrid's status document, whose database was Cassandra. */
  async #status(startedAt: number, now: () => number): Promise<ApiReply> {
    const available = await this.#engine.ready().then(
      () => true,
      () => false,
    )
    const colour = available ? 'green' : 'red'
    const status = {
      started: this.#started,
      uptime: now() - this.#started,
      version: this.#engine.version,
      databaseAvailable: available,
      cassandraAvailable: available,
      cassandraStatus: colour,
      managementAppIndexStatus: colour,
    }
    return ok(JSON.stringify({ timestamp: startedAt, duration: now() - startedAt, status }))
  }
}

const ok = (body: string): ApiReply => ({ status: 200, body, headers: { 'Cache-Control': 'no-store' } })
