import { resolve } from 'node:path'
import type { SqlDatabase } from './connection.js'
import { DatabaseError } from './database-error.js'
import { pendingMigrations } from './migrate.js'
import { connectDatabase, type DatabaseOptions } from './open-database.js'
import { inspectFile } from './sqlite/inspect-file.js'

/**
 * Opens a database that is there already, and leaves its schema as it is.
 * @throws {DatabaseError} when it is not there, not Entigrid's, or lacks migrations; {NewerSchemaError}
 */
export const openExisting = async (url: string, options: DatabaseOptions = {}): Promise<SqlDatabase> => {
  if (url.startsWith('sqlite:')) await inspectFile(resolve(url.slice('sqlite:'.length)))
  const { database, dataSource } = await connectDatabase(url, options)
  try {
    const pending = await pendingMigrations(dataSource)
    if (pending.length > 0)
      throw new DatabaseError(
        "The database is not Entigrid's, or of an earlier version: bring it up to date with entigrid migrate",
      )
    return database
  } catch (error) {
    await database.close()
    throw error
  } finally {
    await dataSource.destroy()
  }
}
