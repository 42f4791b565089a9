import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Encrypts what must be shown again, such as client secrets, so that a copy of the database does not tell it. */
export interface SecretBox {
  /** A new text each time, `v1.` and then base64url. */
  seal(text: string): string
  /** @throws {Error} when the text was sealed with another secret, for another purpose, or was changed. */
  open(sealed: string): string
}

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 'v1.'

/**
 * A key for one purpose from the installation's secret (HKDF-SHA-256, RFC 5869): what is made for one purpose
 * is of no use for another.
 * @throws {RangeError} when the secret has fewer than 32 bytes.
 */
export const deriveKey = (secret: Buffer, purpose: string): Buffer => {
  if (secret.length < KEY_BYTES) throw new RangeError(`The secret must have at least ${KEY_BYTES} bytes`)
  return Buffer.from(hkdfSync('sha256', secret, '', `entigrid:${purpose}`, KEY_BYTES))
}

/** AES-256-GCM under a key of its own for each purpose. */
export const secretBox = (secret: Buffer, purpose: string): SecretBox => {
  const key = deriveKey(secret, purpose)
  return { seal: (text) => seal(key, text), open: (sealed) => open(key, sealed) }
}

const seal = (key: Buffer, text: string): string => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return VERSION + Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64url')
}

const open = (key: Buffer, sealed: string): string => {
  const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url')
  if (!sealed.startsWith(VERSION) || bytes.length < NONCE_BYTES + TAG_BYTES) throw unreadable()
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
  try {
    const encrypted = bytes.subarray(NONCE_BYTES + TAG_BYTES)
    return decipher.update(encrypted, undefined, 'utf8') + decipher.final('utf8')
  } catch (cause) {
    throw unreadable(cause)
  }
}

const unreadable = (cause?: unknown): Error =>
  new Error('A stored secret cannot be read: it was changed, or the configured secret is another one', {
    cause,
  })
