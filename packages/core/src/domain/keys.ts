import { type CompareOp, type Literal, literalValue } from './query/ast.js'
import { fold } from './text.js'

/**
 * Binary keys whose byte order is the order of the values: numbers, then strings without regard to case,
 * then false, true. No key is the beginning of another, so they can be concatenated, and inverted for a
 * descending component. The format is stored: changing it means rebuilding every index.
 *
 * - number: `10`, then the IEEE double, big-endian; the sign bit flipped, or all bits when negative
 * - string: `20`, then the UTF-8 of the folded text with `00` written as `00 FF`, then `00 01`, or
 *   `00 02` where the text was cut: after the whole text of the same bytes, before any longer one
 * - false `30`, true `31`
 * - `40` is the tag of geographic cells
 */
const NUMBER = 0x10
const STRING = 0x20
const FALSE = 0x30
const TRUE = 0x31
const WHOLE = 0x01
const CUT = 0x02

/**
 * Texts are cut here. The cut falls between bytes, not characters: then the kept part has the full length
 * in every cut key, which the order depends on.
 */
export const MAX_KEY_TEXT_BYTES = 200

/**
 * Stands for a missing property in a composite key: after every key and every inverted key, yet below
 * `FF`, which therefore ends any range of keys.
 */
export const MISSING = Buffer.from([0xfe])

export const encodeKey = (value: string | number | boolean): Buffer => {
  if (typeof value === 'string') return encodeString(value)
  if (typeof value === 'number') return encodeNumber(value)
  return Buffer.from([value ? TRUE : FALSE])
}

const encodeNumber = (value: number): Buffer => {
  const key = Buffer.allocUnsafe(9)
  key[0] = NUMBER
  key.writeDoubleBE(value === 0 ? 0 : value, 1)
  if (key[1]! < 0x80) key[1]! ^= 0x80
  else for (let index = 1; index < 9; index++) key[index]! ^= 0xff
  return key
}

const encodeString = (text: string): Buffer => {
  const { bytes, cut } = textBytes(text)
  return Buffer.concat([Buffer.from([STRING]), bytes, Buffer.from([0, cut ? CUT : WHOLE])])
}

const textBytes = (text: string): { bytes: Buffer; cut: boolean } => {
  // Every UTF-16 unit takes a byte or more, and the last one kept may be half a pair: hence two more.
  const all = Buffer.from(fold(text.slice(0, MAX_KEY_TEXT_BYTES + 2)), 'utf8')
  const bytes = all.subarray(0, MAX_KEY_TEXT_BYTES)
  return { bytes: bytes.includes(0) ? escapeZeros(bytes) : bytes, cut: all.length > MAX_KEY_TEXT_BYTES }
}

const escapeZeros = (bytes: Buffer): Buffer =>
  Buffer.from([...bytes].flatMap((byte) => (byte === 0 ? [0, 0xff] : [byte])))

/** Whether a key holds only the beginning of its text, so that several texts share it. */
export const isCut = (key: Buffer): boolean => key[0] === STRING && key.at(-1) === CUT && key.at(-2) === 0

/** The same key in descending order. */
export const invert = (key: Buffer): Buffer => Buffer.from(key.map((byte) => byte ^ 0xff))

export interface KeyRange {
  from: Buffer | null
  fromInclusive: boolean
  to: Buffer | null
  toInclusive: boolean
  /** Whether every key in the range satisfies the comparison; if not, the documents must be checked. */
  exact: boolean
}

/** The keys that can satisfy a comparison: those of the literal's type, as values of others never do. */
export const keyRange = (op: CompareOp, literal: Literal): KeyRange => {
  const value = literalValue(literal)
  const prefix = op === '=' && literal.kind === 'string' ? wildcardPrefix(literal.value.trim()) : null
  if (prefix !== null)
    return { ...prefixRange(prefix), fromInclusive: true, toInclusive: false, exact: false }
  const key = encodeKey(value)
  const cut = isCut(key)
  const range = { ...keysOfType(key), fromInclusive: true, toInclusive: false, exact: !cut }
  // A cut key also holds texts on either side of the literal, so it is never left out.
  if (op === '=' || op === '>=' || op === '>')
    Object.assign(range, { from: key, fromInclusive: op !== '>' || cut })
  if (op === '=' || op === '<=' || op === '<')
    Object.assign(range, { to: key, toInclusive: op !== '<' || cut })
  return range
}

const keysOfType = (key: Buffer): { from: Buffer; to: Buffer } => {
  const tag = key[0]!
  return tag < FALSE ? tags(tag, tag + 1) : tags(FALSE, TRUE + 1)
}

const tags = (from: number, to: number) => ({ from: Buffer.from([from]), to: Buffer.from([to]) })

/**
 * Keys from `from` (inclusive) to `to` (exclusive) that hold all strings beginning with `text`; others
 * too, and so not `exact`, when it is longer than a key.
 */
export const prefixRange = (text: string): { from: Buffer; to: Buffer; exact: boolean } => {
  const { bytes, cut } = textBytes(text)
  const from = Buffer.concat([Buffer.from([STRING]), bytes])
  // Neither UTF-8 nor an escape goes on with FF.
  return { from, to: Buffer.concat([from, Buffer.from([0xff])]), exact: !cut }
}

/** The part of a pattern before its first `*`, or `null` if it has none. */
export const wildcardPrefix = (text: string): string | null => {
  const star = text.indexOf('*')
  return star === -1 ? null : text.slice(0, star)
}
