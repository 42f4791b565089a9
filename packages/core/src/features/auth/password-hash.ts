import { hash, verify } from '@node-rs/argon2'
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

/** Hashes a password on the thread pool, into a text that carries its own salt and cost. */
export const hashPassword = (text: string, cost: HashCost = DEFAULT_HASH_COST): Promise<string> =>
  hash(normalized(text), cost)

/** Whether the hash was made of this password. Whatever is too long to be one is refused unhashed. */
export const verifyPassword = async (stored: string, text: string): Promise<boolean> =>
  text.length <= MAX_PASSWORD_LENGTH && verify(stored, normalized(text))

/** Costs what `verifyPassword` costs and is always false: for accounts that do not exist or have no password. */
export const verifyAgainstNothing = async (
  text: string,
  cost: HashCost = DEFAULT_HASH_COST,
): Promise<false> => {
  if (text.length <= MAX_PASSWORD_LENGTH) await hash(normalized(text), cost)
  return false
}

/** Keyboards differ in how they compose the same letter; NIST SP 800-63B asks for NFKC before hashing. */
const normalized = (text: string): string => text.normalize('NFKC')
