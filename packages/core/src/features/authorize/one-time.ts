import { createHash, randomBytes } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import type { Edits } from '../../engine/edits.js'
import type { SecretBox } from '../auth/index.js'

/** Milliseconds. */
const LIFETIME = 600_000
const BYTES = 32
const FORM = /^[\w-]{43}$/

/** Made outside of transactions, which may run more than once and must then ask for the same. */
export const newOneTimeText = (): string => randomBytes(BYTES).toString('base64url')

/**
 * Texts that stand for something for ten minutes, in one application, and for one use: whoever takes one, in whatever
 * process, takes it away from all others. Stored are the text's hash, and what it stands for, sealed.
 */
export class OneTimeTexts {
  readonly #kind: string
  readonly #box: SecretBox

  /** Those of one kind are nothing to another. */
  constructor(kind: string, box: SecretBox) {
    this.#kind = kind
    this.#box = box
  }

  /** Lets a text of `newOneTimeText` stand for `value`. */
  keep(edits: Edits, text: string, value: JsonObject): void {
    edits.tx.keepReply(this.#keyOf(text), this.#box.seal(JSON.stringify(value)), edits.now + LIFETIME)
  }

  /** What a text stands for; `null` when it is none of ours, over, or was taken before. */
  take(edits: Edits, text: unknown): JsonObject | null {
    if (typeof text !== 'string' || !FORM.test(text)) return null
    const key = this.#keyOf(text)
    const kept = edits.tx.reply(key)
    if (kept === null) return null
    edits.tx.keepReply(key, '', 0)
    const value: unknown = JSON.parse(this.#box.open(kept))
    return isJsonObject(value) ? value : null
  }

  #keyOf(text: string): string {
    return `once ${this.#kind} ${createHash('sha256').update(text).digest('base64url')}`
  }
}
