import { illegalArgument } from './errors.js'

/** A verb that begins with this belongs to a sub-collection; it is no connection to the outside. */
export const HIDDEN_VERB = '~'
const MAX_LENGTH = 100

/**
 * The verb that a path word means: lower-case.
 * @throws {AppError} `illegal_argument` for a word that cannot name a connection.
 */
export const verbName = (word: string): string => {
  const verb = word.trim().toLowerCase()
  if (
    verb === '' ||
    verb.length > MAX_LENGTH ||
    verb.startsWith(HIDDEN_VERB) ||
    /[\p{Cc}\p{Cs}/]/u.test(verb)
  ) {
    const shown = word.length > MAX_LENGTH ? `${word.slice(0, MAX_LENGTH)}…` : word
    throw illegalArgument(
      `"${shown}" cannot name a connection: use at most ${MAX_LENGTH} characters, not beginning with "~"`,
    )
  }
  return verb
}
