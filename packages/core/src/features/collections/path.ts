import type { Params, Segment } from '../../api/url.js'
import { AppError, illegalArgument } from '../../domain/errors.js'
import { collectionName } from '../../domain/names.js'
import { isUuid } from '../../domain/uuid.js'
import { verbName } from '../../domain/verbs.js'
import type { SubCollection } from '../../engine/descriptor.js'
import type { Engine } from '../../engine/engine.js'
import type { Reads } from '../../engine/reads.js'

/** One step along connections or into a sub-collection. */
export interface HopStep {
  /** As shown in paths: `likes`, `connecting`, `groups`. */
  word: string
  /** The stored verb, or `null` for all visible ones. */
  verb: string | null
  direction: 'out' | 'in'
  /** Set when the word is a sub-collection of the entity before it. */
  sub: SubCollection | null
  /** Collection of the far end, when the path or the sub-collection says so. */
  collection: string | null
  /** The far end, or `null` for the list. */
  ref: string | null
  query: Params | null
}

/** A path below an application, taken apart: `/users/ann/likes/dogs/rex`. */
export interface CollectionPath {
  collection: string
  ref: string | null
  query: Params | null
  hops: HopStep[]
}

/** First words that never mean a collection, whether or not something answers there (Usergrid's reserved words). */
const RESERVED = new Set([
  'token',
  'authorize',
  'credentials',
  'auth',
  'hello',
  'counters',
  'export',
  'apm',
  'resetroles',
  'queues',
  'application',
  'applications',
])

/** Reads paths. What a word means may depend on the type before it, and groups have slashes in their names. */
export class PathReader {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** `segments` begin at the collection. @throws {AppError} `illegal_argument`. */
  read(reads: Reads, segments: readonly Segment[]): CollectionPath {
    const [first, ...rest] = segments
    const word = first!.text
    if (RESERVED.has(word.toLowerCase())) throw new AppError('not_found', `There is no collection "${word}"`)
    const collection = collectionName(word)
    const path: CollectionPath = { collection, ref: null, query: first!.query, hops: [] }
    let at = 0
    // What carries a query of its own stands for many entities: the next word is a step on from them.
    if (first!.query !== null) at = 0
    else if (rest[0] !== undefined && rest[0].query === null) {
      const used = this.#refLength(reads, collection, rest)
      path.ref = joined(rest, used)
      at = used
    } else if (rest[0] !== undefined) {
      path.query = rest[0].query
      at = 1
    }
    let from: string | null = collection
    while (at < rest.length) {
      const { step, used } = this.#hop(from, rest.slice(at))
      at += used
      if (step.ref === null && step.query === null && rest[at] !== undefined && rest[at]!.query === null) {
        const length = step.collection === null ? 1 : this.#refLength(reads, step.collection, rest.slice(at))
        step.ref = joined(rest.slice(at), length)
        at += length
      } else if (step.ref === null && step.query === null && rest[at] !== undefined) {
        step.query = rest[at]!.query
        at++
      }
      path.hops.push(step)
      from = step.collection ?? (at < rest.length ? collectionOf(reads, step.ref) : null)
      const { pathSteps } = this.#engine.limits
      if (path.hops.length > pathSteps) throw illegalArgument(`A path has at most ${pathSteps} steps`)
    }
    return path
  }

  /** How many segments name the entity: names of groups and folders contain slashes, the longest known one counts. */
  #refLength(reads: Reads, collection: string, segments: readonly Segment[]): number {
    const { alias } = this.#engine.descriptor(collection)
    if (alias[0] !== 'path' || segments.length < 2 || isUuid(segments[0]!.text)) return 1
    const end = segments.findIndex(({ query }) => query !== null)
    const longest = end === -1 ? segments.length : end
    const names = Array.from({ length: longest }, (_, i) => joined(segments, i + 1))
    const found = reads.each(names, (name) => reads.find(collection, name))
    for (let length = longest; length > 1; length--) if (found[length - 1] !== null) return length
    return 1
  }

  /** Reads the word of a hop and the type behind it; a reference that follows is left to the caller. */
  #hop(from: string | null, segments: readonly Segment[]): { step: HopStep; used: number } {
    const word = segments[0]!.text.toLowerCase()
    const next = segments[1]
    const hasVerb = next !== undefined && next.text !== '' && !isUuid(next.text)
    if (word === 'connections' && hasVerb) {
      const { step, used } = this.#hop(from, segments.slice(1))
      return { step, used: used + 1 }
    }
    if (word === 'connections' || word === 'connecting') {
      const verb = word === 'connecting' && hasVerb ? verbName(next.text) : null
      const direction = word === 'connections' ? 'out' : 'in'
      const used = verb === null ? 1 : 2
      return typed(
        { word, verb, direction, sub: null, collection: null, ref: null, query: segments[used - 1]!.query },
        segments,
        used,
      )
    }
    const { subCollections = {}, commands = [] } = from === null ? {} : this.#engine.descriptor(from)
    if (commands.includes(word)) throw new AppError('not_found', `Nothing answers at "${word}" here`)
    const sub = Object.hasOwn(subCollections, word) ? subCollections[word] : undefined
    if (sub !== undefined) {
      const step = {
        word,
        verb: sub.verb,
        direction: sub.direction,
        sub,
        collection: sub.collection,
        ref: null,
        query: segments[0]!.query,
      }
      return skipOwnType(step, segments)
    }
    return typed(
      {
        word,
        verb: verbName(word),
        direction: 'out',
        sub: null,
        collection: null,
        ref: null,
        query: segments[0]!.query,
      },
      segments,
      1,
    )
  }
}

/** What the words behind an entity mean depends on its type, which a uuid alone does not tell. */
const collectionOf = (reads: Reads, ref: string | null): string | null =>
  ref === null || !isUuid(ref) ? null : (reads.getAny(ref)?.collection ?? null)

/** After a verb comes a uuid, or a type that may be followed by a name: `likes/dogs`, `likes/dogs/rex`. */
const typed = (
  step: HopStep,
  segments: readonly Segment[],
  used: number,
): { step: HopStep; used: number } => {
  const next = segments[used]
  if (step.query !== null || next === undefined || next.text === '' || isUuid(next.text))
    return { step, used }
  if (next.text.toLowerCase() === 'any') return { step: { ...step, query: next.query }, used: used + 1 }
  return { step: { ...step, collection: collectionName(next.text), query: next.query }, used: used + 1 }
}

/** A sub-collection's type may be repeated: `following/users/bob` is `following/bob`. */
const skipOwnType = (step: HopStep, segments: readonly Segment[]): { step: HopStep; used: number } => {
  const next = segments[1]
  if (next === undefined || step.query !== null || next.text === '') return { step, used: 1 }
  const repeats =
    next.text.toLowerCase() === step.collection && (segments[2] !== undefined || next.query !== null)
  const singular = segments[2] !== undefined && `${next.text.toLowerCase()}s` === step.collection
  return repeats || singular ? { step: { ...step, query: next.query }, used: 2 } : { step, used: 1 }
}

const joined = (segments: readonly Segment[], length: number): string =>
  segments
    .slice(0, length)
    .map(({ text }) => text)
    .join('/')
