import { AppError, type Json, tooDeep } from '@entigrid/core'
import { jsonErrorAt } from './json-error.js'

const QUOTE = 34
const BACKSLASH = 92
const OPENERS = new Set([91, 123])
const CLOSERS = new Set([93, 125])

/**
 * @throws {AppError} `json_parse` naming the position of the first wrong character, or if the text is nested
 * deeper than `depth` levels. Keys such as `__proto__` become ordinary own properties.
 */
export const parseJson = (text: string, depth: number): Json => {
  // A text of at most two characters per level cannot be both well-formed and too deep.
  if (text.length > 2 * depth && isDeeperThan(text, depth)) throw tooDeep(depth)
  try {
    return JSON.parse(text) as Json
  } catch {
    throw malformed(text)
  }
}

const isDeeperThan = (text: string, depth: number): boolean => {
  let level = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (inString) {
      if (char === BACKSLASH) at++
      else if (char === QUOTE) inString = false
    } else if (char === QUOTE) {
      inString = true
    } else if (OPENERS.has(char)) {
      level += 1
      if (level > depth) return true
    } else if (CLOSERS.has(char)) {
      level -= 1
    }
  }
  return false
}

const malformed = (text: string): AppError => {
  const position = jsonErrorAt(text)
  if (position >= text.length)
    return new AppError('json_parse', `Malformed JSON: the body ends at position ${position}, too early`)
  const line = text.slice(0, position).split('\n').length
  const column = position - text.lastIndexOf('\n', position - 1)
  const found = JSON.stringify(String.fromCodePoint(text.codePointAt(position)!))
  return new AppError(
    'json_parse',
    `Malformed JSON at position ${position} (line ${line}, column ${column}): unexpected ${found}`,
  )
}
