import { hash } from 'node:crypto'
import type { ApiReply } from '../../api/request.js'
import { AppError, illegalArgument } from '../../domain/errors.js'
import type { Edits } from '../../engine/edits.js'

/** How long the reply to a request with an idempotency key is kept, in milliseconds. */
const LIFETIME = 86_400_000

/** A request that is to be carried out once, however often it comes. */
export interface Repeatable {
  /** Who asks, and the key that he chose. */
  key: string
  /** What is asked: the same key must not be used for anything else. */
  fingerprint: string
}

/**
 * @param label who asks, as in the change log
 * @throws {AppError} `illegal_argument` for a key that is not 1 to 255 visible ASCII characters.
 */
export const repeatable = (key: string, label: string, request: readonly unknown[]): Repeatable => {
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw illegalArgument('Idempotency-Key takes 1 to 255 visible ASCII characters')
  return { key: digest(`${label}\n${key}`), fingerprint: digest(JSON.stringify(request)) }
}

const digest = (text: string): string => hash('sha256', text, 'base64url')

/**
 * The first reply again, if this request was carried out before; else what `work` replies, kept in the same transaction
 * as its writes. Failures are not kept: nothing was stored then, and trying again is right.
 * @throws {AppError} `idempotency_key_reused`
 */
export const once = (edits: Edits, { key, fingerprint }: Repeatable, work: () => ApiReply): ApiReply => {
  const kept = edits.tx.reply(key)
  if (kept === null) {
    const reply = work()
    edits.tx.keepReply(key, JSON.stringify({ fingerprint, reply }), edits.now + LIFETIME)
    return reply
  }
  const first = JSON.parse(kept) as { fingerprint: string; reply: ApiReply }
  if (first.fingerprint !== fingerprint)
    throw new AppError('idempotency_key_reused', 'The idempotency key was used for a different request')
  return { ...first.reply, headers: { ...first.reply.headers, 'Idempotency-Replayed': 'true' } }
}
