import { resolve } from 'node:path'
import { DatabaseError } from './database-error.js'
import { copyLive, type Replaced, replace } from './sqlite/copies.js'
import { MEMORY } from './sqlite/sqlite-database.js'

/**
 * Copies a SQLite database into a new file, as it is at one moment, while servers read and write it. Only its owner
 * may read the file, for it holds password hashes.
 * @throws {DatabaseError} when there is such a file, or the database is another server's to back up
 */
export const backup = async (databaseUrl: string, file: string): Promise<void> =>
  copyLive(fileOf(databaseUrl, dumpCommand(databaseUrl, file)), resolve(file))

/**
 * Replaces a SQLite database, which nobody may be using, by a backup. With `force` there may be one; it is kept
 * under another name, which is returned.
 * @throws {DatabaseError} before anything is touched, when the backup is not sound; {NewerSchemaError}
 */
export const restore = async (
  databaseUrl: string,
  file: string,
  { force = false }: { force?: boolean | undefined } = {},
): Promise<Replaced> => replace(resolve(file), fileOf(databaseUrl, restoreCommand(databaseUrl, file)), force)

const fileOf = (databaseUrl: string, command: string): string => {
  if (!databaseUrl.startsWith('sqlite:'))
    throw new DatabaseError(
      `PostgreSQL has tools of its own for this; run: ${command} (they ask for the password, or take it from PGPASSWORD)`,
    )
  const path = databaseUrl.slice('sqlite:'.length)
  if (path === MEMORY) throw new DatabaseError('A database in memory has no file')
  return resolve(path)
}

const dumpCommand = (url: string, file: string): string =>
  `pg_dump --format=custom --file=${quoted(file)} ${quoted(withoutPassword(url))}`

const restoreCommand = (url: string, file: string): string =>
  `pg_restore --clean --if-exists --single-transaction --dbname=${quoted(withoutPassword(url))} ${quoted(file)}`

const withoutPassword = (url: string): string => {
  if (!URL.canParse(url)) return 'postgres://...'
  const shown = new URL(url)
  shown.password = ''
  shown.searchParams.delete('password')
  return shown.href
}

/** As a shell takes it for one word. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
