import { isPlainMailAddress } from '../../domain/account-names.js'
import { isUuid } from '../../domain/uuid.js'
import type { Profile } from './types.js'

const MAX_SUBJECT = 255
const MAX_NAME = 200
const MAX_PICTURE = 1000

/** Claims of an ID token whose signature, issuer and audience are known to be right; anything may be in them. */
export type Claims = Readonly<Record<string, unknown>>

/** `null` when they name nobody. */
export const readProfile = (claims: Claims): Profile | null => {
  const { iss, sub, name, picture } = claims
  if (typeof iss !== 'string' || typeof sub !== 'string' || sub === '' || sub.length > MAX_SUBJECT)
    return null
  return {
    issuer: iss,
    subject: sub,
    email: verifiedAddress(claims),
    name: typeof name === 'string' && name !== '' && name.length <= MAX_NAME && !isUuid(name) ? name : null,
    picture: typeof picture === 'string' && isPicture(picture) ? picture : null,
  }
}

/** An address that anybody could claim is none. Some providers write the boolean as a text. */
const verifiedAddress = ({ email, email_verified: isVerified }: Claims): string | null => {
  if (isVerified !== true && isVerified !== 'true') return null
  return isPlainMailAddress(email) ? email : null
}

const isPicture = (text: string): boolean =>
  text.length <= MAX_PICTURE && URL.canParse(text) && new URL(text).protocol === 'https:'
