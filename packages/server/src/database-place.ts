import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError } from './config.js'

/** Where a database keeps its data, as far as this machine is concerned. */
export interface DatabasePlace {
  kind: 'file' | 'memory' | 'server'
  /** Absolute path, or the URL without its password: fit to be shown. */
  shown: string
}

const PATH = /^sqlite:(?:\/\/)?(.+)$/

export const placeOf = (databaseUrl: string, folder: string): DatabasePlace => {
  const path = PATH.exec(databaseUrl)?.[1]
  if (path === undefined)
    return { kind: 'server', shown: databaseUrl.replace(/(:\/\/[^:@/]*):[^@]*@/, '$1:***@') }
  if (path === ':memory:') return { kind: 'memory', shown: 'memory' }
  return { kind: 'file', shown: resolve(folder, path.split('?')[0]!) }
}

/** @throws {ConfigError} if there is no database yet: an empty one would be looked after, and nobody see why */
export const mustBeThere = ({ kind, shown }: DatabasePlace): void => {
  if (kind === 'memory' || (kind === 'file' && !existsSync(shown)))
    throw new ConfigError(
      `There is no database at ${shown}. Name another with --database-url, or start the server first`,
    )
}

/**
 * Makes the folder of a database file, and sees that both can be written.
 * @throws {ConfigError} that says what to do
 */
export const prepareFolder = ({ kind, shown }: DatabasePlace): void => {
  if (kind !== 'file') return
  const folder = dirname(shown)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.W_OK)
    if (existsSync(shown)) accessSync(shown, constants.W_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError(
      `The database cannot be written at ${shown} (${code}). Allow it, or choose another place with --database-url`,
    )
  }
}

/**
 * The secret that tokens are signed and credentials encrypted with. When none is configured, the one kept beside
 * the database file, which is made the first time, readable by its owner alone. For a database in memory it is
 * made anew each time.
 * @throws {ConfigError} if the database is on a server, whose processes must share a secret
 */
export const secretOf = (configured: string | undefined, { kind, shown }: DatabasePlace): string => {
  if (configured !== undefined) return configured
  if (kind === 'server')
    throw new ConfigError(
      'ENTIGRID_SECRET must be set when the database is PostgreSQL; openssl rand -hex 32 makes one',
    )
  const fresh = randomBytes(32).toString('hex')
  return kind === 'memory' ? fresh : keptSecret(`${shown}.secret`, fresh)
}

const keptSecret = (path: string, fresh: string): string => {
  try {
    // Fails when the file is there, so that of two processes that start together one decides for both.
    writeFileSync(path, `${fresh}\n`, { mode: 0o600, flag: 'wx' })
    return fresh
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const secret = readFileSync(path, 'utf8').trim()
  if (secret.length < 32)
    throw new ConfigError(`${path} holds no secret of 32 characters. Restore it from a backup`)
  return secret
}
