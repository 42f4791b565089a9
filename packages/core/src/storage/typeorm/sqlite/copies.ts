import { randomBytes } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { link, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseError } from '../database-error.js'
import { adviceOn, fileTrouble } from './file-trouble.js'
import { inspectFile } from './inspect-file.js'
import { primaryCode, type SqliteConnection } from './sqlite-connection.js'
import { openSqlite3 } from './sqlite3-connection.js'

/** For its owner alone: a database holds password hashes. */
const MODE = 0o600
/** How long (milliseconds) a file that is to be replaced may be held by somebody. */
const PATIENCE = 1000

/**
 * Copies a database, as it is at one moment, while others read and write it. The copy is checked, and gets its
 * name only when it is whole and on the disk.
 * @throws {DatabaseError} when `target` is there, or the copy cannot be made
 */
export const copyLive = async (source: string, target: string): Promise<void> => {
  await inspectFile(source)
  if (existsSync(target)) throw taken(target)
  await viaDraft(target, async (draft) => {
    await writeFile(draft, '', { mode: MODE, flag: 'wx' })
    await using(source, { readOnly: true }, (connection) => connection.all('VACUUM INTO ?', [draft]))
    await inspectFile(draft, { thoroughly: true })
    await sync(draft)
    await nameAnew(draft, target)
  })
}

export interface Replaced {
  /** Where the file that was there is now; `null` if there was none. */
  aside: string | null
}

/**
 * Puts a copy of `source` in the place of a database that nobody uses. `force` allows that there is one; it is
 * kept beside the new one. Nothing is touched before the source has been checked.
 * @throws {DatabaseError} when the source is no sound database of this version, or the other one is in use
 */
export const replace = async (source: string, target: string, force: boolean): Promise<Replaced> => {
  if (source === target) throw new DatabaseError('The backup and the database are the same file')
  await refuseLog(source)
  await inspectFile(source, { thoroughly: true })
  if (existsSync(target) && !force)
    throw new DatabaseError(
      `There is a database at ${target}: with --force it is kept under another name, and replaced`,
    )
  return viaDraft(target, async (draft) => {
    await writeFile(draft, createReadStream(source), { mode: MODE, flag: 'wx', flush: true })
    const aside = `${target}.replaced-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
    if (!existsSync(target)) {
      // Logs that were left of another database must not be taken for ones of this.
      for (const log of ['-wal', '-shm'].filter((suffix) => existsSync(target + suffix)))
        await rename(target + log, aside + log)
      await rename(draft, target)
      return { aside: null }
    }
    await whenUnused(target, async () => {
      await rename(target, aside)
      await rename(draft, target).catch(async (error) => {
        await rename(aside, target)
        throw error
      })
    })
    return { aside }
  })
}

/** A part of a database in use, or of a copy of one, is in a file beside it. */
const refuseLog = async (source: string): Promise<void> => {
  const log = await stat(`${source}-wal`).catch(() => null)
  if (log !== null && log.size > 0)
    throw new DatabaseError(
      `${source} is not whole without the file ${source}-wal: make a backup of it with entigrid backup, and restore that`,
    )
}

/**
 * A connection in WAL mode holds a lock on the file as long as it is open, so that only who is alone can leave that
 * mode. Doing so also puts all of the log into the file. The lock is kept while `work` moves it.
 */
const whenUnused = async (file: string, work: () => Promise<void>): Promise<void> => {
  try {
    await using(file, { readOnly: false }, async (connection) => {
      await connection.all(`PRAGMA busy_timeout = ${PATIENCE}`)
      await connection.all('PRAGMA journal_mode = DELETE')
      await connection.all('BEGIN EXCLUSIVE')
      await work()
    })
  } catch (error) {
    const code = primaryCode(error)
    if (code === 'SQLITE_BUSY')
      throw new DatabaseError(`${file} is in use: stop the server that runs on it, and try again`, {
        cause: error,
      })
    if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT')
      throw new DatabaseError(
        `${file} is so damaged that nobody can tell whether a server runs on it: stop that, move the file and those that begin with its name and -wal or -shm away, and try again`,
        { cause: error },
      )
    throw adviceOn(error) === null ? error : fileTrouble(file, error)
  }
}

/** Unlike a renaming, a link never takes the place of a file that has turned up meanwhile. */
const nameAnew = async (draft: string, target: string): Promise<void> => {
  try {
    await link(draft, target)
    await rm(draft)
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || existsSync(target)) throw taken(target)
    // Some file systems have no links.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error))) throw error
    await rename(draft, target)
  }
}

/** Runs `work` with the name of a file beside `target` that is gone afterwards, and has the folder on the disk. */
const viaDraft = async <T>(target: string, work: (draft: string) => Promise<T>): Promise<T> => {
  const draft = `${target}.draft-${randomBytes(4).toString('hex')}`
  try {
    const result = await work(draft)
    // Windows has no way to ask this of a folder.
    if (process.platform !== 'win32') await sync(dirname(target))
    return result
  } catch (error) {
    await rm(draft, { force: true })
    if (error instanceof DatabaseError) throw error
    const code = codeOf(error)
    if (!/^(E[A-Z]+|SQLITE_[A-Z_]+)$/.test(code)) throw error
    throw new DatabaseError(
      `${target} cannot be written (${code}): see that its folder is there, may be written and has room`,
      { cause: error },
    )
  }
}

const using = async <T>(
  file: string,
  options: { readOnly: boolean },
  work: (connection: SqliteConnection) => Promise<T>,
): Promise<T> => {
  const connection = await openSqlite3(file, options)
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

const sync = async (path: string): Promise<void> => {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

const taken = (target: string): DatabaseError =>
  new DatabaseError(`There is a file ${target} already: name another`)

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? '')
