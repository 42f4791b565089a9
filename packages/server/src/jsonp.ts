import { AppError } from '@entigrid/core'

const CALLBACK = /(?:^|[?&])callback=([^?&]*)/
const NAME = /^[A-Za-z_$][\w$.]{0,127}$/

/**
 * The function that a JSONP request wants its reply wrapped in, from the query string.
 * @throws {AppError} `illegal_argument` if it is not the dotted name of a function.
 */
export const jsonpCallback = (search: string): string | undefined => {
  // Most requests have no query string, or none with this word: spare them the pattern.
  if (!search.includes('callback=')) return undefined
  const name = CALLBACK.exec(search)?.[1]
  if (name === undefined || name === '') return undefined
  if (!NAME.test(name.replaceAll('%24', '$')))
    throw new AppError('illegal_argument', 'The parameter callback must be the name of a function')
  return name.replaceAll('%24', '$')
}

/** U+2028 and U+2029 end a line in the scripts of old browsers, though not in JSON. */
export const wrapInCallback = (name: string, json: string): string =>
  `${name}(${json.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')})`
