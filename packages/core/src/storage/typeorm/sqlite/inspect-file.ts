import { stat } from 'node:fs/promises'
import type { SqlConnection } from '../connection.js'
import { DatabaseError } from '../database-error.js'
import { MIGRATIONS_TABLE, NewerSchemaError } from '../migrate.js'
import { migrations } from '../migrations/index.js'
import { fileTrouble } from './file-trouble.js'
import { openSqlite3 } from './sqlite3-connection.js'

/**
 * Looks into a SQLite file without changing it, and returns the migrations it lacks.
 * @throws {DatabaseError} when it is not there, cannot be read, or is not Entigrid's; {NewerSchemaError}
 */
export const inspectFile = async (file: string, { thoroughly = false } = {}): Promise<string[]> => {
  const size = await sizeOf(file)
  if (size === 0) throw new DatabaseError(`${file} is empty: it is not an Entigrid database`)
  try {
    const connection = await openSqlite3(file, { readOnly: true })
    try {
      const tables = await connection.all('SELECT 1 FROM sqlite_master WHERE name = ?', [MIGRATIONS_TABLE])
      if (tables.length === 0) throw new DatabaseError(`${file} is not an Entigrid database`)
      const [fault] = thoroughly ? await faultsIn(connection, 1) : []
      if (fault !== undefined) throw new DatabaseError(`${file} is damaged (${fault}): use another one`)
      const done = await connection.all<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`)
      return pendingIn(done.map(({ name }) => name))
    } finally {
      await connection.close()
    }
  } catch (error) {
    throw fileTrouble(file, error)
  }
}

/** What SQLite finds wrong with a file; up to `limit` lines. */
export const faultsIn = async (connection: SqlConnection, limit: number): Promise<string[]> => {
  const rows = await connection.all<{ integrity_check: string }>(`PRAGMA integrity_check(${limit})`)
  const lines = rows.flatMap(({ integrity_check: text }) => text.split('\n'))
  return lines.filter((line) => line !== 'ok' && !line.startsWith('***'))
}

const sizeOf = async (file: string): Promise<number> => {
  try {
    const found = await stat(file)
    if (!found.isFile()) throw new DatabaseError(`${file} is not a file`)
    return found.size
  } catch (error) {
    if (error instanceof DatabaseError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new DatabaseError(
      code === 'ENOENT' ? `There is no file ${file}` : `${file} cannot be read (${code})`,
      { cause: error },
    )
  }
}

const pendingIn = (done: readonly string[]): string[] => {
  const known = migrations.map((Migration) => String(new Migration().name))
  const newer = done.find((name) => !known.includes(name))
  if (newer !== undefined) throw new NewerSchemaError(newer)
  return known.filter((name) => !done.includes(name))
}
