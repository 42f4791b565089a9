import { compatible } from './composition.js'
import { illegalArgument } from './errors.js'
import { isOneScript } from './scripts.js'
import { isUuid } from './uuid.js'

/** Characters of a username or an e-mail address (RFC 5321, 4.5.3.1). */
const MAX_LENGTH = 254
/** What is longer is no name in any form, and stays as it is: it could become eighteen times as long. */
const MAX_TYPED = 1000
/** What a path can name: letters, digits, and what Usergrid let stand in URLs. */
const USERNAME = /^[\p{L}\p{N}_\-./'+ ][\p{L}\p{M}\p{N}_\-./'+ ]*$/u
const LOCAL_PART = /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-][\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]{0,63}$/u
const DOMAIN =
  /^[\p{L}\p{N}]([\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?(\.[\p{L}\p{N}]([\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?)*$/u
/** Mean something else in paths; `.` and `..` never arrive. */
const RESERVED = new Set(['me', 'all', 'any', 'resetpw', '.', '..'])

/**
 * The form in which usernames and e-mail addresses are stored and looked up: Unicode NFKC, without blanks around
 * it. Letter case stays and is ignored in comparisons.
 */
export const accountName = (text: string): string =>
  text.length > MAX_TYPED ? text : compatible(text).trim()

/** Whether a path segment can name a user: by a uuid, an e-mail address or a username. */
export const isUserIdentifier = (text: string): boolean => {
  const name = accountName(text)
  return name.length <= MAX_LENGTH && (USERNAME.test(name) || isMailAddress(name))
}

/**
 * Accepts a username in the form of `accountName`.
 * @throws {AppError} `illegal_argument` for one that a path would take for something else, or people for another.
 */
export const checkUsername = (username: string): void => {
  const refuse = (message: string) => illegalArgument(message, 'username')
  if (RESERVED.has(username.toLowerCase())) throw refuse(`Username '${username}' is reserved`)
  if (isUuid(username)) throw refuse('A username must not look like a uuid')
  if (username.length > MAX_LENGTH) throw refuse(`A username has at most ${MAX_LENGTH} characters`)
  if (!USERNAME.test(username) && !isMailAddress(username))
    throw refuse("A username has letters, digits, blanks and _ - . / ' + only, or is an e-mail address")
  checkScripts(username, 'username')
}

/** Accepts an e-mail address in the form of `accountName`. @throws {AppError} `illegal_argument` */
export const checkMail = (email: string): void => {
  if (!isMailAddress(email)) throw illegalArgument('This is not an e-mail address', 'email')
  checkScripts(email, 'email')
}

/** Whether mail can be sent to a text: one address, without quotes, comments or addresses of machines. */
export const isMailAddress = (text: unknown): text is string => {
  if (typeof text !== 'string') return false
  const at = text.lastIndexOf('@')
  return (
    text.length <= MAX_LENGTH &&
    LOCAL_PART.test(text.slice(0, at)) &&
    at > 0 &&
    DOMAIN.test(text.slice(at + 1))
  )
}

/**
 * Whether two addresses are one: letter case counts for nothing, within ASCII. Other letters that some alphabet takes
 * for the same belong to somebody else's address.
 */
export const isSameAddress = (one: string, other: string): boolean => asciiLower(one) === asciiLower(other)

const asciiLower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** Whether a text is an e-mail address that is stored as it is: what is stored in another form may be somebody else's. */
export const isPlainMailAddress = (text: unknown): text is string =>
  isMailAddress(text) && accountName(text) === text && keepsToScripts(text)

/** Each name in an address counts by itself: `иван@example.org` is one of two scripts, and nobody's look-alike. */
const keepsToScripts = (text: string): boolean =>
  (text.includes('@') ? text.split(/[@.]/) : [text]).every(isOneScript)

const checkScripts = (text: string, field: string): void => {
  if (!keepsToScripts(text))
    throw illegalArgument(`The letters of the ${field} are of scripts that are not written together`, field)
}
