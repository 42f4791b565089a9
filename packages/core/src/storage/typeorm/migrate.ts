import { setTimeout as delay } from 'node:timers/promises'
import { type DataSource, type Migration, MigrationExecutor, type QueryRunner } from 'typeorm'

/** A host program's own migrations, in the same schema, have TypeORM's default table. */
export const MIGRATIONS_TABLE = 'entigrid_migrations'

/** First half of the key of the advisory lock on PostgreSQL; the other is made from the schema's name. */
const LOCK = 731_849_205
/** How long (milliseconds) the migrations of another process are waited for. */
const PATIENCE = 10 * 60_000

/** The database was made by a later version than this one. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError'
  constructor(readonly migration: string) {
    super(
      `The database was made by a newer Entigrid (it has the migration "${migration}"): upgrade Entigrid, or use another database`,
    )
  }
}

/** Names of the migrations that the database lacks, oldest first. @throws {NewerSchemaError} */
export const pendingMigrations = async (dataSource: DataSource): Promise<string[]> => {
  const pending = await pendingOf(dataSource, new MigrationExecutor(dataSource))
  return pending.map(({ name }) => name)
}

/**
 * Runs the data source's migrations that the database lacks, each in a transaction, and returns their names.
 * Any number of processes may do so at once: one runs them, the others wait.
 * @throws {NewerSchemaError}
 */
export const migrate = async (dataSource: DataSource): Promise<string[]> => {
  if ((await pendingMigrations(dataSource)).length === 0) return []
  const runner = dataSource.createQueryRunner()
  const postgres = dataSource.options.type === 'postgres'
  try {
    // On SQLite a write transaction is exclusive by itself.
    if (postgres) await runner.query(`SELECT pg_advisory_lock(${LOCK}, hashtext(current_schema()))`)
    const done: string[] = []
    for (let name = await runNext(runner); name !== null; name = await runNext(runner)) done.push(name)
    return done
  } finally {
    // A lost connection gives up its locks.
    if (postgres) await runner.query('SELECT pg_advisory_unlock_all()').catch(() => undefined)
    await runner.release()
  }
}

const pendingOf = async (dataSource: DataSource, executor: MigrationExecutor): Promise<Migration[]> => {
  const known = new Set(
    dataSource.migrations.map((migration) => migration.name ?? migration.constructor.name),
  )
  const unknown = (await executor.getExecutedMigrations()).find(({ name }) => !known.has(name))
  if (unknown !== undefined) throw new NewerSchemaError(unknown.name)
  return executor.getPendingMigrations()
}

/** What is pending is asked again inside the transaction: another process may have been faster. */
const runNext = async (runner: QueryRunner): Promise<string | null> => {
  await start(runner)
  try {
    const executor = new MigrationExecutor(runner.dataSource, runner)
    const [next] = await pendingOf(runner.dataSource, executor)
    if (next !== undefined) await executor.executeMigration(next)
    await runner.commitTransaction()
    return next?.name ?? null
  } catch (error) {
    // What matters is the first failure; the connection is let go of in any case.
    await runner.rollbackTransaction().catch(() => undefined)
    throw error
  }
}

const start = async (runner: QueryRunner): Promise<void> => {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    try {
      return await runner.startTransaction()
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SQLITE_BUSY' || performance.now() > deadline) throw error
      await delay(50)
    }
  }
}
