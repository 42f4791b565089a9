import { AppError } from '../errors.js'

export type Token =
  /** `text` is as written; `word` is lower-case, for keywords. */
  | { kind: 'word'; text: string; word: string; at: number }
  | { kind: 'uuid'; text: string; at: number }
  | { kind: 'number'; text: string; value: number; at: number }
  | { kind: 'string'; text: string; value: string; at: number }
  | { kind: 'symbol'; text: string; at: number }
  /** Follows the last token. */
  | { kind: 'end'; text: string; at: number }

const BLANKS = /\s*/uy
const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?![\w.-])/iy
const WORD = /[\p{L}_][\p{L}\p{M}\p{N}_.-]*/uy
const NUMBER = /-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy
const SYMBOL = /<=|>=|\|\||&&|[=<>(){}:,*]/y
const ESCAPE = /\\(?:u[\da-f]{4}|[0-3][0-7]{2}|[0-7]{1,2}|[nrtbf'"\\])/iy
const CONTROLS: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

/**
 * Splits a query into tokens; positions count characters from 1.
 * @throws {AppError} `query_token` where no token can start; `query_parse` for a number that is too
 * large and a string that is not closed or has an unknown escape.
 */
export const tokenize = (text: string): Token[] => {
  const tokens: Token[] = []
  let index = 0
  for (;;) {
    index += matchAt(BLANKS, text, index)!.length
    if (index === text.length) return [...tokens, { kind: 'end', text: '', at: index + 1 }]
    const token = text[index] === "'" ? readString(text, index) : readPlain(text, index)
    tokens.push(token)
    index += token.text.length
  }
}

const matchAt = (pattern: RegExp, text: string, index: number): string | null => {
  pattern.lastIndex = index
  return pattern.exec(text)?.[0] ?? null
}

const readPlain = (text: string, index: number): Token => {
  const at = index + 1
  const uuid = matchAt(UUID, text, index)
  if (uuid !== null) return { kind: 'uuid', text: uuid, at }
  const word = matchAt(WORD, text, index)
  if (word !== null) return { kind: 'word', text: word, word: word.toLowerCase(), at }
  const number = matchAt(NUMBER, text, index)
  if (number !== null) return { kind: 'number', text: number, value: finite(number, at), at }
  const symbol = matchAt(SYMBOL, text, index)
  if (symbol !== null) return { kind: 'symbol', text: symbol, at }
  const character = String.fromCodePoint(text.codePointAt(index)!)
  throw new AppError('query_token', `Nothing in a query starts with ${character} (character ${at})`)
}

const finite = (text: string, at: number): number => {
  const value = Number(text)
  if (Number.isFinite(value)) return value
  throw new AppError('query_parse', `The number at character ${at} is too large`)
}

/** A string in single quotes, with the escapes of Java. */
const readString = (text: string, start: number): Token => {
  let value = ''
  let index = start + 1
  while (text[index] !== "'") {
    if (index >= text.length) {
      throw new AppError('query_parse', `The string that starts at character ${start + 1} is not closed`)
    }
    const sequence = text[index] === '\\' ? readEscape(text, index) : null
    value += sequence === null ? text[index] : meaningOf(sequence)
    index += sequence?.length ?? 1
  }
  return { kind: 'string', text: text.slice(start, index + 1), value, at: start + 1 }
}

const readEscape = (text: string, index: number): string => {
  const sequence = matchAt(ESCAPE, text, index)
  if (sequence !== null) return sequence
  throw new AppError(
    'query_parse',
    `Expected ' " \\ n t r b f u or an octal number after the \\ at character ${index + 1}`,
  )
}

const meaningOf = (sequence: string): string => {
  const [kind, code] = [sequence[1]!.toLowerCase(), sequence.slice(1)]
  if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8))
  if (kind === 'u') return String.fromCharCode(Number.parseInt(code.slice(1), 16))
  return CONTROLS[kind] ?? kind
}
