import { composed } from './composition.js'
import { illegalArgument } from './errors.js'
import { filterFor, type PermissionFilter, parsePermissionFilter } from './permission-filter.js'
import type { Filter } from './query/ast.js'
import { anyOf } from './query/combine.js'
import { isUuid } from './uuid.js'

export type Verb = 'get' | 'post' | 'put' | 'delete'

/** A permission string taken apart: `get,post:/dogs/*,/cats where owner = ${user}`. Verbs and paths are lower-case. */
export interface Permission {
  /** `null` when the text has no colon; that, an empty list and `*` all mean every verb. */
  verbs: readonly (Verb | '*')[] | null
  /** Alternatives, as written: a leading slash may be missing. */
  paths: readonly string[]
  /** Which of the entities that the paths lead to it is for; `null` for all. */
  filter: PermissionFilter | null
}

/** The caller that `${user}` and `me` stand for; guests and clients have none. */
export interface Self {
  uuid: string
  username: string
}

/**
 * A request path, one entry per segment, each with all its equivalent spellings: the uuid and the name of
 * an entity, and `me` where it denotes the caller. A name that contains `/` is still one segment. An empty
 * spelling says that the segment may be left out, as the collection in `/users/ann/likes/dogs/rex` may;
 * the first segment never is.
 */
export type PathSegments = readonly (readonly string[])[]

const VERBS: readonly Verb[] = ['get', 'post', 'put', 'delete']
const MAX_TEXT = 1000
/** A path's positions are kept as the bits of one 32-bit number while it is matched. */
const MAX_SEGMENTS = 30
/** Bounds the time of a wildcard comparison to this many steps per character of the request. */
const MAX_WILDCARD_SEGMENT = 128
/** ASCII is composed as it is, and there is much of it to compare. */
const PLAIN = /^[\0-\x7f]*$/
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u
const WHERE = /^(.*?)\s+where(?:\s+(.*))?$/is

/** Names are compared without regard to letter case or Unicode composition, as unique values are. */
const fold = (text: string): string =>
  PLAIN.test(text) ? text.toLowerCase() : composed(composed(text).toLowerCase())
/** Whether two names denote the same. */
export const isSameName = (a: string, b: string): boolean => fold(a) === fold(b)
const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '')

/**
 * Reads a permission string as a client wrote it; case and blanks around verbs and paths do not matter.
 * @throws {AppError} `illegal_argument` with the reason, for a string that could never grant anything or
 * would grant more than it says (`get:` meant every path in Usergrid).
 */
export const parsePermission = (text: string): Permission => {
  if (text.length > MAX_TEXT || fold(text).length > MAX_TEXT)
    throw refuse(`must not be longer than ${MAX_TEXT} characters`)
  if (UNPRINTABLE.test(fold(text))) throw refuse('must not contain control characters')
  const split = WHERE.exec(text)
  const parts = fold(split?.[1] ?? text).split(':')
  if (parts.length > 2) throw refuse('must not contain a second colon')
  const [pathList = '', verbList = null] = parts.reverse()
  const verbs = verbList === null ? null : readVerbs(verbList)
  const paths = pathList.split(',').map((path) => path.trim())
  for (const path of paths) checkPath(path)
  return { verbs, paths, filter: split === null ? null : parsePermissionFilter((split[2] ?? '').trim()) }
}

/** The stored form. It equals the parsed text but for case and blanks of its paths, so that clients find what they wrote. */
export const formatPermission = ({ verbs, paths, filter }: Permission): string =>
  (verbs === null ? '' : `${verbs.join(',')}:`) +
  paths.join(',') +
  (filter === null ? '' : ` where ${filter.text}`)

const refuse = (reason: string) => illegalArgument(`A permission ${reason}`, 'permission')

const readVerbs = (list: string): (Verb | '*')[] => {
  if (list.trim() === '') return []
  return list.split(',').map((blankVerb) => {
    const verb = blankVerb.trim()
    if (verb !== '*' && !VERBS.includes(verb as Verb))
      throw refuse(`has an unknown verb "${verb}": use get, post, put, delete or *`)
    return verb as Verb | '*'
  })
}

const checkPath = (path: string): void => {
  if (path === '') throw refuse('must not have an empty path: write /** for every path')
  const segments = segmentsOf(path)
  if (segments.length > MAX_SEGMENTS)
    throw refuse(`must not have more than ${MAX_SEGMENTS} segments in a path`)
  for (const segment of segments) {
    if (segment === '.' || segment === '..') throw refuse('must not contain the segments . or ..')
    if (segment.length > MAX_WILDCARD_SEGMENT && hasWildcard(segment))
      throw refuse(`must not have a segment with wildcards of over ${MAX_WILDCARD_SEGMENT} characters`)
  }
}

const hasWildcard = (segment: string): boolean => /[*?]/.test(segment)

type Matcher =
  | { kind: 'literal'; text: string }
  | { kind: 'one' }
  | { kind: 'any-depth' }
  | { kind: 'glob'; text: string }
  | { kind: 'user' }
  | { kind: 'me' }

/** One path of one permission. */
interface Rule {
  matchers: readonly Matcher[]
  /** Bit i is set where matcher i is `**`. */
  deep: number
  /** `/dogs/*` covers `/dogs` too. Where the path also has a `**`, it does not, as in Usergrid. */
  lastIsOptional: boolean
  /** Which of the entities that it leads to it is for; `null` for all. */
  filter: Filter | null
}

interface RulesOfVerb {
  /** All paths, and all entities. */
  everything: boolean
  /** Whether there are rules for some entities only. */
  filtered: boolean
  /** Rules whose first segment is literal, by that segment: most requests look at few rules. */
  byFirst: Map<string, Rule[]>
  others: Rule[]
}

/** A principal's permission strings, compiled. Immutable: keep it for as long as the strings hold. */
export type Grants = Readonly<Record<Verb, RulesOfVerb>>

/** Compiles stored strings for a caller; those that do not parse grant nothing. */
export const compileGrants = (strings: Iterable<string>, self: Self | null = null): Grants => {
  const grants: Grants = { get: noRules(), post: noRules(), put: noRules(), delete: noRules() }
  for (const string of strings) {
    const permission = parseStored(string)
    if (permission === null) continue
    const filter = permission.filter === null ? null : filterFor(permission.filter, self)
    const rules = permission.paths.map((path) => compilePath(path, filter))
    for (const verb of verbsOf(permission)) for (const rule of rules) addRule(grants[verb], rule)
  }
  return grants
}

const noRules = (): RulesOfVerb => ({ everything: false, filtered: false, byFirst: new Map(), others: [] })

const parseStored = (string: string): Permission | null => {
  try {
    return parsePermission(string)
  } catch {
    return null
  }
}

const verbsOf = ({ verbs }: Permission): readonly Verb[] =>
  verbs === null || verbs.length === 0 || verbs.includes('*')
    ? VERBS
    : VERBS.filter((verb) => verbs.includes(verb))

const compilePath = (path: string, filter: Filter | null): Rule => {
  const segments = path === '*' ? ['**'] : segmentsOf(path)
  const matchers = segments
    // Adjacent `**` say no more than one, and matching counts on it.
    .filter((segment, index) => segment !== '**' || segments[index - 1] !== '**')
    .map(compileSegment)
  const deep = matchers.reduce(
    (bits, { kind }, index) => (kind === 'any-depth' ? bits | (1 << index) : bits),
    0,
  )
  return { matchers, deep, lastIsOptional: deep === 0 && matchers.at(-1)?.kind === 'one', filter }
}

const compileSegment = (text: string): Matcher => {
  if (text === '**') return { kind: 'any-depth' }
  if (text === '*') return { kind: 'one' }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the variable of permission strings, not ours.
  if (text === '${user}') return { kind: 'user' }
  if (text === 'me') return { kind: 'me' }
  return { kind: hasWildcard(text) ? 'glob' : 'literal', text }
}

const addRule = (rules: RulesOfVerb, rule: Rule): void => {
  const first = rule.matchers[0]
  if (rule.filter !== null) rules.filtered = true
  else if (rule.matchers.length === 1 && rule.deep === 1) rules.everything = true
  if (first?.kind !== 'literal') {
    rules.others.push(rule)
    return
  }
  const siblings = rules.byFirst.get(first.text)
  if (siblings === undefined) rules.byFirst.set(first.text, [rule])
  else siblings.push(rule)
}

/** No word of a path needs to be written out. */
const NONE: ReadonlySet<string> = new Set()

/** What a request may reach of what its path leads to: all of it, none, or the entities that match a filter. */
export type Reach = 'all' | 'none' | Filter

/**
 * What all strings together that cover the request let it reach. One covers it when it covers any combination of the
 * path's spellings. A segment of the path that has one spelling, which is among `sensitive`, is covered only where the
 * string has that word itself, as `put:/users/me/permissions` has and `/**` and `*` have not. An entity that is merely
 * named so has its uuid for another spelling.
 */
export const reachOf = (
  grants: Grants,
  method: Verb,
  path: PathSegments,
  self: Self | null,
  sensitive: ReadonlySet<string> = NONE,
): Reach => {
  const rules = grants[method]
  const isWritten = (spellings: readonly string[]): boolean =>
    sensitive.size > 0 && spellings.length === 1 && sensitive.has(spellings[0]!)
  if (rules.everything && !path.some(isWritten)) return 'all'
  const folded = path.map((spellings) => spellings.map(fold))
  const names = namesOf(self)
  const written = sensitive.size === 0 ? [] : folded.map(isWritten)
  const known = candidates(rules, folded)
  const isCovered = (rule: Rule): boolean => covers(rule, folded, names, written)
  if (known.some((rule) => rule.filter === null && isCovered(rule))) return 'all'
  if (!rules.filtered) return 'none'
  const filters = known.flatMap((rule) => (rule.filter !== null && isCovered(rule) ? [rule.filter] : []))
  return filters.length === 0 ? 'none' : anyOf(filters)
}

/** Whether a plain path may be reached; `me` and the caller's own uuid and username after `users` denote him. */
export const allowsPath = (
  strings: Iterable<string>,
  method: Verb,
  path: string,
  self: Self | null,
): boolean => {
  const names = namesOf(self)
  const segments = segmentsOf(path).map((segment, index, all) => {
    const isSelf = names.length > 0 && all[index - 1] === 'users' && ['me', ...names].includes(fold(segment))
    return isSelf ? [segment, 'me', ...names] : [segment]
  })
  return reachOf(compileGrants(strings, self), method, segments, self) === 'all'
}

/** Whether the request reads the caller himself, which needs no permission string. */
export const readsSelf = (method: Verb, path: PathSegments, self: Self | null): boolean =>
  self !== null &&
  method === 'get' &&
  path.length === 2 &&
  path[0]!.includes('users') &&
  path[1]!.some((spelling) => fold(spelling) === fold(self.uuid))

/** A username in the form of a uuid, or `me`, would pass for another user, so it does not count as a name. */
const namesOf = (self: Self | null): readonly string[] => {
  if (self === null) return []
  const username = fold(self.username)
  return username === '' || username === 'me' || isUuid(username)
    ? [fold(self.uuid)]
    : [fold(self.uuid), username]
}

const candidates = ({ byFirst, others }: RulesOfVerb, path: PathSegments): readonly Rule[] => {
  const first = path[0]
  if (first === undefined || byFirst.size === 0) return others
  return [...others, ...first.flatMap((spelling) => byFirst.get(spelling) ?? [])]
}

/**
 * Walks the path once, keeping the set of matchers it may have reached as bits, so that no arrangement of
 * `**` takes more than (segments x matchers) steps. A segment of `written` is met by a literal alone.
 */
const covers = (
  rule: Rule,
  path: PathSegments,
  self: readonly string[],
  written: readonly boolean[],
): boolean => {
  const { matchers, deep, lastIsOptional } = rule
  let reached = skipDeep(1, deep)
  for (const [at, spellings] of path.entries()) {
    let next = written[at] ? 0 : reached & deep
    if (spellings.includes('')) next |= reached
    for (let index = 0; index < matchers.length; index++) {
      if ((reached & ~deep & (1 << index)) === 0) continue
      const matcher = matchers[index]!
      if ((!written[at] || matcher.kind === 'literal') && meets(matcher, spellings, self))
        next |= 1 << (index + 1)
    }
    if (next === 0) return false
    reached = skipDeep(next, deep)
  }
  const end = 1 << matchers.length
  return (reached & (lastIsOptional ? end | (end >> 1) : end)) !== 0
}

/** `**` may stand for nothing; no two are adjacent, so one step is enough. */
const skipDeep = (reached: number, deep: number): number => reached | ((reached & deep) << 1)

const meets = (matcher: Matcher, spellings: readonly string[], self: readonly string[]): boolean => {
  switch (matcher.kind) {
    case 'literal':
      return spellings.includes(matcher.text)
    case 'one':
      return spellings.some((spelling) => spelling !== '')
    case 'glob':
      return spellings.some((spelling) => spelling !== '' && matchesGlob(matcher.text, spelling))
    case 'user':
      return spellings.some((spelling) => self.includes(spelling))
    case 'me':
      return spellings.some((spelling) => spelling === 'me' || self.includes(spelling))
    case 'any-depth':
      return true
  }
}

/** `*` is any text and `?` any one UTF-16 unit. Only the last `*` is ever reconsidered, so there is no blow-up. */
const matchesGlob = (glob: string, text: string): boolean => {
  let [at, star, resume] = [0, -1, 0]
  for (let index = 0; index < text.length; ) {
    if (glob[at] === '*') {
      star = at++
      resume = index
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === text[index])) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else return false
  }
  while (glob[at] === '*') at++
  return at === glob.length
}
