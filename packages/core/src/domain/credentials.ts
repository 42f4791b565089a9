import { createHash, timingSafeEqual } from 'node:crypto'
import { illegalArgument } from './errors.js'
import { isUuid } from './uuid.js'

export type ClientKind = 'organization' | 'application' | 'admin' | 'user'

/** Base64 of `ou:`, `ap:`, `ad:` and `au:`: clients tell by these tags what they hold. */
const TAGS: Record<ClientKind, string> = {
  organization: 'b3U6',
  application: 'YXA6',
  admin: 'YWQ6',
  user: 'YXU6',
}
const KINDS = Object.keys(TAGS) as ClientKind[]

const ID_LENGTH = 26
const SECRET_BYTES = 20
const SECRET = /^(b3U6|YXA6|YWQ6|YXU6)[A-Za-z0-9_-]{27}$/

/** The client id of a tenant or account: 26 characters that hold its uuid, so that it never changes. */
export const clientId = (kind: ClientKind, uuid: string): string => {
  if (!isUuid(uuid)) throw illegalArgument(`Not a uuid: ${uuid}`)
  return TAGS[kind] + Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url')
}

/** A new client secret: 31 characters, of which 160 bits come from `random`. */
export const newClientSecret = (kind: ClientKind, random: (bytes: number) => Buffer): string =>
  TAGS[kind] + random(SECRET_BYTES).toString('base64url')

/** What a client id stands for, or `null` for a text that `clientId` would not have made. */
export const parseClientId = (text: string): { kind: ClientKind; uuid: string } | null => {
  if (text.length !== ID_LENGTH) return null
  const kind = KINDS.find((candidate) => text.startsWith(TAGS[candidate]))
  if (kind === undefined) return null
  const hex = Buffer.from(text.slice(4), 'base64url').toString('hex')
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return isUuid(uuid) && clientId(kind, uuid) === text ? { kind, uuid } : null
}

/** Whether the text has the form of a client secret. */
export const isClientSecret = (text: string): boolean => SECRET.test(text)

/** Compares two secrets in a time that tells nothing about either. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest()
