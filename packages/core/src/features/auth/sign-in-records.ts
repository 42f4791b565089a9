import { isJsonObject } from '../../domain/json.js'
import { isUuid } from '../../domain/uuid.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Claims } from './claims.js'
import type { RefreshState } from './refresh-tokens.js'
import type { SecretBox } from './secret-box.js'

/** One sign-in of a user: what all tokens that come from it belong to. Times are UTC milliseconds. */
export interface SignInRecord {
  /** How he proved who he is: `password`, `passkey`, the name of a provider. */
  how: string
  created: number
  /** When he signed in, or last renewed his tokens. */
  used: number
  /** When the last of its access tokens is over; `null` if never. */
  until: number | null
  /** `Place`, sealed: where somebody was is nobody's business but his. */
  place: string
  /** Absent where none was asked for. */
  refresh?: RefreshState
}

/** Where a sign-in comes from. */
export interface Place {
  agent?: string | undefined
  network?: string | undefined
}

/** The token that somebody goes on with when all others are revoked. */
export type KeptToken = Pick<Claims, 'id' | 'signIn'>

const SIGN_INS = 'signins'
const TOKENS = 'tokens'
/** Sign-ins that are remembered of one user. */
const KEPT = 100
const MAX_AGENT = 200

/** The sign-ins of users, beside each; and what of their tokens is revoked. */
export class SignInRecords {
  readonly #box: SecretBox

  constructor(box: SecretBox) {
    this.#box = box
  }

  seal({ agent, network }: Place): string {
    return this.#box.seal(JSON.stringify({ agent: agent?.slice(0, MAX_AGENT), network }))
  }

  /** Nothing, when it was sealed with another secret. */
  open(sealed: string): Place {
    try {
      const place: unknown = JSON.parse(this.#box.open(sealed))
      return isJsonObject(place) ? place : {}
    } catch {
      return {}
    }
  }

  /** Those that are not over at `now`, the latest first. */
  async of(engine: Engine, user: StoredEntity, now: number): Promise<[string, SignInRecord][]> {
    return [...read(await engine.store.dictionary(user, SIGN_INS))]
      .filter(([, record]) => !isOver(record, now))
      .sort(byUse)
  }

  find(edits: Edits, user: StoredEntity, id: string): SignInRecord | null {
    return read(edits.tx.dictionary(user, SIGN_INS)).get(id) ?? null
  }

  put(edits: Edits, user: StoredEntity, id: string, record: SignInRecord): void {
    edits.tx.setEntry(user, SIGN_INS, id, JSON.stringify(record))
  }

  /**
   * Remembers a new sign-in, and forgets what is over. Where there are too many, it forgets what was used longest ago,
   * those that cannot be renewed first: their access tokens stay good until they run out.
   */
  add(edits: Edits, user: StoredEntity, id: string, record: SignInRecord): void {
    const known = [...read(edits.tx.dictionary(user, SIGN_INS))]
    const good = known.filter(([, other]) => !isOver(other, edits.now)).sort(byWorth)
    const kept = new Set(good.slice(0, KEPT - 1).map(([key]) => key))
    for (const [key] of known) if (!kept.has(key)) edits.tx.setEntry(user, SIGN_INS, key, null)
    this.put(edits, user, id, record)
  }

  /** Ends a sign-in with all its tokens; returns whether there was such a one. */
  end(edits: Edits, user: StoredEntity, id: string): boolean {
    const record = this.find(edits, user, id)
    if (record === null) return false
    edits.tx.setEntry(user, SIGN_INS, id, null)
    this.revoke(edits, user, id, record.until)
    return true
  }

  /** Tokens of before are revoked; 0 when none are. What is issued comes after it, also where a clock stands still. */
  since(edits: Edits, user: StoredEntity): number {
    return Number(edits.tx.dictionary(user, TOKENS).get('since') ?? 0)
  }

  /** Revokes every token of a user, and ends his sign-ins: all but the given one. */
  revokeAll(edits: Edits, user: StoredEntity, kept: KeptToken | null): void {
    edits.tx.setEntry(user, TOKENS, 'since', String(edits.now + 1))
    edits.tx.setEntry(user, TOKENS, 'kept', kept === null ? null : kept.id)
    for (const id of edits.tx.dictionary(user, SIGN_INS).keys())
      if (id !== kept?.signIn) this.end(edits, user, id)
  }

  /** Revokes a token, or all of a sign-in, by id. `until`: when it would be over, `null` if never. */
  revoke(edits: Edits, user: StoredEntity, id: string, until: number | null): void {
    for (const [known, over] of edits.tx.dictionary(user, TOKENS)) {
      // A token that ran out by itself need not be remembered as revoked.
      if (isUuid(known) && Number(over) !== 0 && Number(over) < edits.now)
        edits.tx.setEntry(user, TOKENS, known, null)
    }
    if (until === null || until > edits.now) edits.tx.setEntry(user, TOKENS, id, String(until ?? 0))
  }
}

const isOver = ({ until, refresh }: SignInRecord, now: number): boolean =>
  until !== null && until <= now && (refresh === undefined || refresh.expires <= now)

type Entry = readonly [string, SignInRecord]

const byUse = ([, x]: Entry, [, y]: Entry): number => y.used - x.used

const byWorth = (x: Entry, y: Entry): number =>
  Number(y[1].refresh !== undefined) - Number(x[1].refresh !== undefined) || byUse(x, y)

const read = (dictionary: ReadonlyMap<string, string>): Map<string, SignInRecord> =>
  new Map([...dictionary].map(([id, text]) => [id, JSON.parse(text) as SignInRecord]))
