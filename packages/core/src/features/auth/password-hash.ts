import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import pLimit from 'p-limit'
import { AppError } from '../../domain/errors.js'
import { MAX_PASSWORD_LENGTH } from './password-policy.js'

/** Cost of one hash; the algorithm is Argon2id, the library's default. */
export interface HashCost {
  /** Kibibytes. */
  memoryCost: number
  /** Passes over the memory. */
  timeCost: number
  parallelism: number
}

/** The first choice of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one thread. */
export const DEFAULT_HASH_COST: HashCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/**
 * The thread pool of Node.js has four threads unless told otherwise, and SQLite reads on them, too: hashes, which take
 * tens of milliseconds, leave most of them, and one core, to others.
 */
const turns = pLimit(Math.max(1, Math.min(2, availableParallelism() - 1)))
/** Hashes that wait for their turn, some ten seconds of work. */
const MAX_WAITING = 500

/** @throws {AppError} `unavailable` when so many wait that this one would come too late. */
const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
  if (turns.pendingCount >= MAX_WAITING)
    throw new AppError('unavailable', 'Too many passwords are being checked; try again shortly', {
      retryAfter: 5,
    })
  return turns(work)
}

/**
 * Hashes a password on the thread pool, into a text that carries its own salt and cost.
 * @throws {AppError} `unavailable`
 */
export const hashPassword = async (text: string, cost: HashCost = DEFAULT_HASH_COST): Promise<string> =>
  inTurn(() => hash(normalized(text), cost))

/** Whether the hash was made of this password. Whatever is too long to be one is refused unhashed. @throws like `hashPassword` */
export const verifyPassword = async (stored: string, text: string): Promise<boolean> =>
  text.length <= MAX_PASSWORD_LENGTH && inTurn(() => verify(stored, normalized(text)))

/**
 * Costs what `verifyPassword` costs and is always false: for accounts that do not exist or have no password.
 * @throws like `hashPassword`
 */
export const verifyAgainstNothing = async (
  text: string,
  cost: HashCost = DEFAULT_HASH_COST,
): Promise<false> => {
  if (text.length <= MAX_PASSWORD_LENGTH) await inTurn(() => hash(normalized(text), cost))
  return false
}

/** Keyboards differ in how they compose the same letter; NIST SP 800-63B asks for NFKC before hashing. */
const normalized = (text: string): string => text.normalize('NFKC')
