import { illegalArgument } from '../domain/errors.js'
import { isJsonObject } from '../domain/json.js'

/** Parameters of a query string, in order; a name may repeat. */
export type Params = ReadonlyMap<string, readonly string[]>

/** One piece of a path: its decoded text, and the query it carries for its own step, if any. */
export interface Segment {
  text: string
  /** From matrix parameters (`;ql=...`), a JSON object, or the word `all`. */
  query: Params | null
}

const NO_PARAMS: Params = new Map()
const MATRIX = /;(?=(?:ql|q|query|limit|cursor)=)/i

/** @throws {AppError} `illegal_argument` for a broken percent sequence, a NUL, or a path of more than `most` segments. */
export const parsePath = (path: string, most: number): Segment[] => {
  const segments: Segment[] = []
  for (const part of path.split('/')) {
    if (part !== '') segments.push(parseSegment(part))
  }
  if (segments.length > most) throw illegalArgument(`A path has at most ${most} segments`)
  return segments
}

const parseSegment = (part: string): Segment => {
  const text = decode(part).trim()
  if (text.includes('\0')) throw illegalArgument('A path must not contain NUL')
  if (isAll(text)) return { text: '', query: NO_PARAMS }
  if (text.startsWith('{')) return { text: '', query: jsonParams(text) }
  const [name = '', ...matrix] = text.split(MATRIX)
  if (matrix.length === 0) return { text, query: null }
  return { text: isAll(name) ? '' : name, query: collect(matrix.map((pair) => splitPair(pair))) }
}

const isAll = (text: string): boolean => text.toLowerCase() === 'all'

const decode = (text: string): string => {
  try {
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch {
    throw illegalArgument('The path has a malformed percent sequence')
  }
}

const jsonParams = (text: string): Params => {
  try {
    const value: unknown = JSON.parse(text)
    if (isJsonObject(value)) return collect(Object.entries(value).map(([key, item]) => [key, String(item)]))
  } catch {
    // Falls through to the refusal below.
  }
  throw illegalArgument('A path segment that begins with "{" must be a JSON object')
}

const splitPair = (pair: string): [string, string] => {
  const at = pair.indexOf('=')
  return at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
}

const collect = (pairs: readonly (readonly [string, string])[]): Params => {
  const params = new Map<string, string[]>()
  for (const [name, value] of pairs) {
    const values = params.get(name)
    if (values === undefined) params.set(name, [value])
    else values.push(value)
  }
  return params
}

/** Reads a query string; old clients append a second `?...`, which counts as `&...`. */
export const parseSearch = (search: string): Params => {
  if (search === '') return NO_PARAMS
  const pairs = search
    .split(/[&?]/)
    .filter((pair) => pair !== '')
    .map((pair) => splitPair(pair).map(decodeParam) as [string, string])
  return collect(pairs)
}

const decodeParam = (text: string): string => {
  const spaced = text.replaceAll('+', ' ')
  try {
    return spaced.includes('%') ? decodeURIComponent(spaced) : spaced
  } catch {
    return spaced
  }
}

export const param = (params: Params, name: string): string | undefined => params.get(name)?.[0]
