import { AppError, unavailable } from '../../domain/errors.js'
import type { Transaction } from '../store.js'
import type { AppCatalog, Catalogs } from './catalog.js'
import type { SqlConnection, SqlDatabase, SqlFailure } from './connection.js'
import { Flush } from './flush.js'
import { IdSource } from './id-source.js'
import { type Need, NeedReader } from './needs.js'
import { StaleCatalog } from './stale-catalog.js'
import { SqlTransaction } from './transaction.js'
import { Missing, WriteState } from './write-state.js'

interface Job {
  principal: string | null
  work: (transaction: Transaction) => unknown
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
  outcome?: { value: unknown; effects: readonly (() => void)[] } | { error: unknown }
}

/** Whether a commit that broke off was made cannot be known, so it is not tried again. */
class CommitLost extends Error {}

/** Transactions committed together at most. */
const MAX_GROUP = 200
/** How often a transaction is run again after deadlocks and lost races before its caller is told. */
const MAX_ATTEMPTS = 10
/** Rounds of reading within one transaction; each needs at least one thing that the round before lacked. */
const MAX_ROUNDS = 5000

/**
 * Runs transaction functions in groups: those that wait while a group is being written form the next one and
 * share its commit. A lone transaction waits for nobody. On SQLite one group is written at a time, on
 * PostgreSQL as many as there are writers.
 */
export class WriteQueue {
  readonly #database: SqlDatabase
  readonly #catalogs: Catalogs
  readonly #uniqueProperties: (collection: string) => readonly string[]
  readonly #clock: () => number
  readonly #onEffectError: (error: unknown) => void
  readonly #sharedIds: IdSource
  #pending: Job[] = []
  #running = 0
  #lastNow = 0
  #lastEdgeTime = 0
  #idle: (() => void)[] = []

  constructor(options: {
    database: SqlDatabase
    catalogs: Catalogs
    uniqueProperties: (collection: string) => readonly string[]
    clock: () => number
    onEffectError: (error: unknown) => void
  }) {
    this.#database = options.database
    this.#catalogs = options.catalogs
    this.#uniqueProperties = options.uniqueProperties
    this.#clock = options.clock
    this.#onEffectError = options.onEffectError
    this.#sharedIds = new IdSource(options.database.dialect)
  }

  submit<T>(principal: string | null, work: (transaction: Transaction) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({ principal, work, resolve: resolve as (value: unknown) => void, reject })
      this.#pump()
    })
  }

  /** Resolves when nothing is running or waiting. */
  drained(): Promise<void> {
    if (this.#running === 0 && this.#pending.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #pump(): void {
    while (this.#running < this.#database.writers && this.#pending.length > 0) {
      const group = this.#pending.splice(0, MAX_GROUP)
      this.#running++
      void this.#runGroup(group).finally(() => {
        this.#running--
        this.#pump()
        if (this.#running === 0 && this.#pending.length === 0)
          for (const resolve of this.#idle.splice(0)) resolve()
      })
    }
  }

  async #runGroup(group: Job[]): Promise<void> {
    try {
      await this.#attempt(group)
    } catch (error) {
      return this.#recover(group, error)
    }
    this.#settle(group)
  }

  async #recover(group: Job[], error: unknown): Promise<void> {
    if (error instanceof CommitLost) for (const job of group) job.reject(unavailable(error.cause, true))
    else if (this.#database.classify(error) === 'unavailable')
      for (const job of group) job.reject(unavailable(error))
    else if (group.length === 1) await this.#runAlone(group[0]!, error)
    // One of them broke the whole group (a lost race on PostgreSQL, or a defect): each gets its own try.
    else for (const job of group) await this.#runGroup([job])
  }

  async #runAlone(job: Job, firstError: unknown): Promise<void> {
    let error = firstError
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
      const failure = this.#failure(error)
      if (failure !== 'retry' && failure !== 'unique') break
      try {
        await this.#attempt([job])
      } catch (again) {
        error = again
        continue
      }
      return this.#settle([job])
    }
    if (error instanceof CommitLost) return job.reject(unavailable(error.cause, true))
    const failure = this.#failure(error)
    job.reject(failure === 'unavailable' || failure === 'retry' ? unavailable(error) : error)
  }

  #failure(error: unknown): SqlFailure {
    return error instanceof StaleCatalog ? 'retry' : this.#database.classify(error)
  }

  async #attempt(group: Job[]): Promise<void> {
    const loaded = new Map<number, AppCatalog>()
    const ids = this.#database.dialect === 'sqlite' ? this.#sharedIds : new IdSource('postgres')
    let isWritten = false
    try {
      const changed = await this.#database.write(async (connection) => {
        const apps = await this.#runOn(connection, group, loaded, ids)
        isWritten = true
        return apps
      })
      this.#catalogs.forget(changed)
    } catch (error) {
      this.#catalogs.forget(loaded.keys())
      ids.clear()
      // SQLite rolls back what it cannot commit; a PostgreSQL that went away may have done either.
      const lost =
        isWritten && this.#database.dialect === 'postgres' && this.#failure(error) === 'unavailable'
      throw lost ? new CommitLost('The connection broke off while committing', { cause: error }) : error
    }
  }

  async #runOn(
    connection: SqlConnection,
    group: Job[],
    loaded: Map<number, AppCatalog>,
    ids: IdSource,
  ): Promise<ReadonlySet<number>> {
    const state = new WriteState(ids, () => this.#nextEdgeTime())
    const shared = { connection, database: this.#database, catalogs: this.#catalogs, loaded, state, ids }
    const reader = new NeedReader(shared)
    for (const job of group) delete job.outcome
    let waiting = group
    for (let round = 0; waiting.length > 0; round++) {
      if (round > MAX_ROUNDS) throw new Error('A transaction asked for more reads than it may')
      const needs: Need[] = []
      waiting = waiting.filter((job) => {
        const missing = this.#run(job, state, loaded)
        needs.push(...missing)
        return missing.length > 0
      })
      if (needs.length > 0) await reader.read(needs)
    }
    return new Flush(shared).run()
  }

  /** Runs one transaction function; returns what it still needs, nothing when it came to an end. */
  #run(job: Job, state: WriteState, catalogs: Map<number, AppCatalog>): readonly Need[] {
    const context = {
      state,
      now: this.#now(),
      principal: job.principal,
      catalogs,
      uniqueProperties: this.#uniqueProperties,
    }
    const transaction = new SqlTransaction(context)
    try {
      const value = job.work(transaction)
      state.keep()
      job.outcome = { value, effects: transaction.effects }
      return []
    } catch (error) {
      state.undo()
      if (error instanceof Missing) return error.needs
      job.outcome = { error }
      return []
    }
  }

  #now(): number {
    this.#lastNow = Math.max(this.#lastNow, this.#clock())
    return this.#lastNow
  }

  /** Positions of connections: time in units of a 2,048th of a millisecond, each used once by this process. */
  #nextEdgeTime(): number {
    this.#lastEdgeTime = Math.max(this.#lastEdgeTime + 1, this.#now() * 2048)
    return this.#lastEdgeTime
  }

  #settle(group: readonly Job[]): void {
    for (const { outcome, resolve, reject } of group) {
      if (outcome === undefined) reject(new AppError('internal', 'The transaction did not end'))
      else if ('error' in outcome) reject(outcome.error)
      else {
        for (const effect of outcome.effects) this.#runEffect(effect)
        resolve(outcome.value)
      }
    }
  }

  /** What is committed stays so: an effect that fails concerns nobody else. */
  #runEffect(effect: () => void): void {
    try {
      effect()
    } catch (error) {
      this.#onEffectError(error)
    }
  }
}
