import { DatabaseError } from '../database-error.js'
import { primaryCode } from './sqlite-connection.js'

const DAMAGED =
  'the file is damaged: stop the server, keep a copy of the file, run entigrid doctor to see what is hit, and restore a backup'
const NOT_WRITABLE =
  'it may not be written: allow the user of this process to write the file and its folder, and see that the disk is not mounted read-only'

/** What an operator should do, by SQLite's primary code. */
const ADVICE: Readonly<Record<string, string>> = {
  SQLITE_CORRUPT: DAMAGED,
  SQLITE_NOTADB:
    'it is no SQLite database, or its beginning was overwritten: name another file, or restore a backup',
  SQLITE_FULL: 'the disk is full: make room on it',
  SQLITE_READONLY: NOT_WRITABLE,
  SQLITE_PERM: NOT_WRITABLE,
  SQLITE_CANTOPEN:
    'it cannot be opened: see that its folder is there, that this process may read and write both, and that it has not too many files open',
  SQLITE_IOERR: 'the disk fails to read or write: look into the log of the system, and see that it has room',
  SQLITE_BUSY: 'another process holds it: end that process',
}

/** What to do about a failure of a SQLite file; `null` when the error is none. */
export const adviceOn = (error: unknown): string | null => ADVICE[primaryCode(error)] ?? null

/** The error for an operator; any that is not about the file stays as it is. */
export const fileTrouble = (file: string, error: unknown): unknown => {
  const advice = adviceOn(error)
  if (advice === null) return error
  return new DatabaseError(`The database file ${file} cannot be used (${primaryCode(error)}): ${advice}`, {
    cause: error,
  })
}
