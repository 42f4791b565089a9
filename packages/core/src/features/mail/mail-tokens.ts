import { createHash, randomBytes } from 'node:crypto'
import type { Edits } from '../../engine/edits.js'
import type { StoredEntity } from '../../storage/store.js'

/** What the owner of a token may do with it, once. */
export type MailPurpose = 'activate' | 'confirm' | 'resetpw'

const DICTIONARY = 'mails'
const RANDOM_BYTES = 20
const TOKEN = /^ZW0t[A-Za-z0-9_-]{48}$/
/** Seven days, in milliseconds. */
const LIFETIME = 604_800_000
/** Tokens of one owner, for all purposes; the oldest go first. */
const KEPT = 20

interface Entry {
  purpose: MailPurpose
  /** UTC milliseconds. */
  expires: number
}

/**
 * Tokens that are sent in links of mails: for one purpose, by one owner, once. They are no access tokens. Kept beside
 * the owner under their SHA-256, for they are random enough to need no salt.
 */
export const MailTokens = {
  /** Makes a token: 52 characters. */
  issue(edits: Edits, owner: StoredEntity, purpose: MailPurpose): string {
    const text = `ZW0t${Buffer.concat([uuidBytes(owner.uuid), randomBytes(RANDOM_BYTES)]).toString('base64url')}`
    const others = entriesOf(edits, owner).sort(([, x], [, y]) => y.expires - x.expires)
    for (const [i, [key, { expires }]] of others.entries())
      if (i >= KEPT - 1 || expires <= edits.now) edits.tx.setEntry(owner, DICTIONARY, key, null)
    const entry: Entry = { purpose, expires: edits.now + LIFETIME }
    edits.tx.setEntry(owner, DICTIONARY, hash(text), JSON.stringify(entry))
    return text
  },

  /** Whether it looks like a token: what does not is not looked for. */
  isToken(text: unknown): text is string {
    return typeof text === 'string' && TOKEN.test(text)
  },

  /** Whether the token is good, which it stays. Anything may be asked for. */
  isGood(
    known: ReadonlyMap<string, string>,
    owner: StoredEntity,
    purpose: MailPurpose,
    text: unknown,
    now: number,
  ): boolean {
    if (!MailTokens.isToken(text) || ownerIn(text) !== owner.uuid) return false
    const entry = known.get(hash(text))
    if (entry === undefined) return false
    const { purpose: own, expires } = readEntry(entry)
    return own === purpose && expires > now
  },

  /** Uses the token up, together with what else the transaction does; `false` for one that is not good. */
  consume(edits: Edits, owner: StoredEntity, purpose: MailPurpose, text: unknown): boolean {
    if (!MailTokens.isToken(text)) return false
    const current = edits.find(owner.collection, owner.uuid)
    if (current === null) return false
    const known = edits.tx.dictionary(current, DICTIONARY)
    if (!MailTokens.isGood(known, current, purpose, text, edits.now)) return false
    edits.tx.setEntry(current, DICTIONARY, hash(text), null)
    return true
  },

  /** Ends all tokens for these purposes. */
  drop(edits: Edits, owner: StoredEntity, ...purposes: MailPurpose[]): void {
    for (const [key, { purpose }] of entriesOf(edits, owner))
      if (purposes.includes(purpose)) edits.tx.setEntry(owner, DICTIONARY, key, null)
  },

  /** Name of the dictionary, for looking without a transaction. */
  dictionary: DICTIONARY,
} as const

const entriesOf = (edits: Edits, owner: StoredEntity): [string, Entry][] =>
  [...edits.tx.dictionary(owner, DICTIONARY)].map(([key, value]) => [key, readEntry(value)])

const readEntry = (text: string): Entry => JSON.parse(text) as Entry

const hash = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

const uuidBytes = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex')

const ownerIn = (token: string): string =>
  Buffer.from(token.slice(4), 'base64url')
    .subarray(0, 16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
