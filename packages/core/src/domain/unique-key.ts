import { createHash } from 'node:crypto'
import { composed } from './composition.js'

const DIRECT_BYTES = 128

/**
 * The key under which a unique value is held: two values that differ only in letter case or Unicode
 * composition (NFC) collide. Long values are kept as a prefix and a SHA-256, so that the key stays short.
 */
export const uniqueKey = (value: string): Buffer => {
  const bytes = Buffer.from(composed(value).toLowerCase(), 'utf8')
  if (bytes.length <= DIRECT_BYTES) return bytes
  return Buffer.concat([bytes.subarray(0, DIRECT_BYTES - 32), createHash('sha256').update(bytes).digest()])
}
