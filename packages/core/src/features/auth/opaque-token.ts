import { createHash } from 'node:crypto'

const PREFIX = 'YWMt'
const RANDOM_BYTES = 44
const OPAQUE_TOKEN = /^YWMt[A-Za-z0-9_-]{59}$/

/** An access token in Usergrid's form of exactly 63 characters, which says nothing: what it stands for is stored. */
export const newOpaqueToken = (random: (bytes: number) => Buffer): string =>
  PREFIX + random(RANDOM_BYTES).toString('base64url')

export const isOpaqueToken = (text: string): boolean => OPAQUE_TOKEN.test(text)

/** The form in which a token is stored and looked up: SHA-256 in hex. It is random enough to need no salt. */
export const hashOpaqueToken = (token: string): string =>
  createHash('sha256').update(token, 'utf8').digest('hex')
