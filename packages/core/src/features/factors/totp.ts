import { createHmac } from 'node:crypto'
import { sameSecret } from '../../domain/credentials.js'
import { toBase32 } from './base32.js'

/** Milliseconds that a code is shown for. */
const PERIOD = 30_000
const DIGITS = 6
/** Bytes of a secret: the length of the hash, as RFC 4226 recommends. */
export const TOTP_SECRET_BYTES = 20
/** Steps that a clock may be behind or ahead. */
const DRIFT = 1
const CODE = /^\d{6}$/

/** The code of a step (RFC 4226, with SHA-1, which is what authenticator apps know). */
export const totpCode = (secret: Uint8Array, step: number): string => {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const digest = createHmac('sha1', secret).update(counter).digest()
  const offset = digest[digest.length - 1]! & 15
  const number = digest.readUInt32BE(offset) & 0x7fffffff
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0')
}

/** The step of a time (UTC milliseconds; RFC 6238). */
export const totpStep = (now: number): number => Math.floor(now / PERIOD)

/**
 * The step that a code belongs to, or `null` when it is wrong: one step around `now` (UTC milliseconds) is borne.
 * Steps up to `last` are over, so that no code is of use twice.
 */
export const matchTotp = (secret: Uint8Array, code: string, now: number, last: number): number | null => {
  if (!CODE.test(code)) return null
  const step = totpStep(now)
  let found: number | null = null
  for (let candidate = step - DRIFT; candidate <= step + DRIFT; candidate++)
    if (sameSecret(totpCode(secret, candidate), code) && candidate > last) found = candidate
  return found
}

/** What an authenticator app takes, mostly as a QR code. */
export const totpUri = (secret: Uint8Array, issuer: string, account: string): string => {
  const [who, whose] = [issuer, account].map((text) => encodeURIComponent(text.replaceAll(':', ' ')))
  return (
    `otpauth://totp/${who}:${whose}?secret=${toBase32(secret)}&issuer=${who}` +
    `&algorithm=SHA1&digits=${DIGITS}&period=${PERIOD / 1000}`
  )
}
