import { createHash, randomBytes } from 'node:crypto'
import { toBase32 } from './base32.js'

const COUNT = 10
/** 80 bits: too many to be guessed, so that a plain hash keeps them. */
const BYTES = 10
const CODE = /^[A-Z2-7]{16}$/

/** Ten codes such as `K3QX-7MZA-2JTB-W5ND`, each good once. */
export const newRecoveryCodes = (): string[] =>
  Array.from({ length: COUNT }, () => toBase32(randomBytes(BYTES)).replace(/(.{4})(?=.)/g, '$1-'))

/** What is stored of a code, in whatever case and spacing it was typed; `null` for what is none. */
export const hashRecoveryCode = (text: string): string | null => {
  // Nobody types so much; and the rest of the work should not depend on the length.
  if (text.length > 100) return null
  const code = text.replace(/[\s-]/g, '').toUpperCase()
  return CODE.test(code) ? createHash('sha256').update(code).digest('base64url') : null
}
