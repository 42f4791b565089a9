import type { Caller, Decision } from '../../api/caller.js'
import type { Method } from '../../api/request.js'
import { parsePath, type Segment } from '../../api/url.js'
import { AppError, illegalArgument, resourceNotFound } from '../../domain/errors.js'
import type { Limits } from '../../domain/limits.js'
import type { Verb } from '../../domain/permission.js'
import type { Filter } from '../../domain/query/ast.js'
import { both } from '../../domain/query/combine.js'
import { isUuid } from '../../domain/uuid.js'
import type { Engine } from '../../engine/engine.js'
import type { Reads } from '../../engine/reads.js'
import type { StoredEntity } from '../../storage/store.js'
import { type CollectionCall, rightOf, type WriteVerb } from './call.js'
import type { KnownEntities } from './gate-path.js'
import { farEndMissing, targetMissing, writable } from './hop-writes.js'
import { type Hops, hopOf } from './hops.js'
import type { HopStep } from './path.js'
import type { Rights } from './rights.js'

/** The methods that entities answer to. */
export type AskedMethod = Exclude<Method, 'HEAD'>

const METHODS: readonly AskedMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** @throws {AppError} `illegal_argument` */
export const readMethod = (text: string | undefined): AskedMethod => {
  const method = METHODS.find((name) => name === text?.toUpperCase())
  if (method === undefined) throw illegalArgument(`method is one of ${METHODS.join(', ')}`, 'method')
  return method
}

/** A path as in a URL, below the application. @throws {AppError} `illegal_argument`, also for one with a query string. */
export const readAskedPath = (text: string | undefined, { pathSegments }: Limits): Segment[] => {
  if (text === undefined || text.includes('?'))
    throw illegalArgument('path is below the application, percent-encoded, without a query string', 'path')
  const segments = parsePath(text, pathSegments)
  if (segments.length === 0 || segments[0]!.text === '')
    throw illegalArgument('path begins with a collection', 'path')
  return segments
}

/** Which rights a request needs, in the order in which it is asked for them. */
export interface Asked {
  rights: Decision[]
  /** What the request is refused with, or `null` where all rights are there. */
  refusal: AppError | null
}

/**
 * Runs a question to the gate and hears what it decides. Of several decisions the last one counts: a path is tried
 * as it was typed first, and then by all of its spellings.
 */
export const hear = async (caller: Caller, ask: (caller: Caller) => unknown): Promise<Asked> => {
  let decision: Decision | undefined
  const witness = (heard: Decision): void => {
    decision = heard
  }
  const rights = (): Decision[] => (decision === undefined ? [] : [decision])
  try {
    await ask({ ...caller, witness })
    return { rights: rights(), refusal: null }
  } catch (error) {
    if (error instanceof AppError) return { rights: rights(), refusal: error }
    throw error
  }
}

/** What a path leads over, and which of what it leads to there is a right to. */
interface PermittedPath {
  known: KnownEntities
  filter: Filter | null
}

const refused = (refusal: AppError): Asked => ({ rights: [], refusal })

/** Asks for the rights that requests need, by the questions that the requests themselves ask, and does nothing else. */
export class Asking {
  readonly #engine: Engine
  readonly #rights: Rights
  readonly #hops: Hops

  constructor(engine: Engine, rights: Rights, hops: Hops) {
    this.#engine = engine
    this.#rights = rights
    this.#hops = hops
  }

  /**
   * `call` has no body. Rights that depend on an entity which is not there are not asked for; the request is
   * refused as it would be. Of what a list shows, the caller sees what he may read, which refuses nothing. Where the
   * path itself is denied, nothing else is looked up unless `all` rights are wanted.
   */
  async ask(method: AskedMethod, call: CollectionCall, all: boolean): Promise<Asked> {
    const verb = method === 'GET' ? 'get' : rightOf(method.toLowerCase() as WriteVerb)
    const { path } = call
    const known = await this.#known(call)
    let filter: Filter | null = null
    const own = await this.#hear(call, async (asked) => {
      filter = await this.#engine.look(call.app.id, (reads) => {
        const permitted = this.#rights.permit(reads, asked, verb)
        if (permitted === null) return null
        if (!all) this.#refuseAbsentStart(asked, known)
        this.#permitEntities(reads, asked, verb, { known, filter: permitted })
        if (!all) this.#refuseAbsent(reads, asked, method, known)
        return permitted
      })
    })
    if (own.refusal !== null && !all) return own
    const spelled = await this.#engine.look(call.app.id, (reads) => this.#rights.spelled(reads, call))
    const isWrite = method !== 'GET' && path.hops.length > 0
    const passed = isWrite ? path.hops.slice(0, -1) : path.hops
    const onTheWay: Asked[] = []
    for (const [i, step] of passed.entries())
      if (step.ref !== null) onTheWay.push(await this.#mayRead(call, step, known[i + 1] ?? null))
    const asks = method.toLowerCase() as WriteVerb
    const atTheEnd = isWrite ? await this.#write(asks, call, { known, filter }) : []
    return joined([
      { ...own, rights: own.rights.map((right) => ({ ...right, path: spelled })) },
      ...onTheWay,
      ...atTheEnd,
    ])
  }

  /** The right to the entity at the end of the path. What is written behind an entity is refused by later questions. */
  #permitEntities(reads: Reads, call: CollectionCall, verb: Verb, { known, filter }: PermittedPath): void {
    const isBehind = call.path.hops.length > 0
    const start = isBehind ? (known[0] ?? null) : null
    if (start !== null) this.#rights.passes(unheard(call), filter, start)
    const end = known.at(-1) ?? null
    if (end === null || this.#rights.reaches(reads, call, verb, end)) return
    if (verb === 'get') throw resourceNotFound()
    if (!isBehind) this.#rights.within(unheard(call), filter, end)
  }

  /**
   * Whoever asks about himself, where a right is for some entities only, is told the same of what is not there and of
   * what the right is not for: he must not learn by a question what no request would tell him.
   * @throws {AppError} `service_resource_not_found`
   */
  #refuseAbsent(reads: Reads, call: CollectionCall, method: AskedMethod, known: KnownEntities): void {
    const { path, caller } = call
    const isBehind = path.hops.length > 0
    const { ref } = path.hops.at(-1) ?? path
    // By PUT it would be made.
    const isMade = ref !== null && method === 'PUT' && (!isBehind || isUuid(ref))
    if (ref === null || (known.at(-1) ?? null) !== null || isMade) return
    const verb = method === 'GET' ? 'get' : rightOf(method.toLowerCase() as WriteVerb)
    caller.witness?.({ verb, path: this.#rights.spelled(reads, call), allowed: false, filter: null })
    if (method === 'GET' || !isBehind) throw resourceNotFound()
  }

  /** The same of what the path starts at. @throws {AppError} `service_resource_not_found` */
  #refuseAbsentStart({ path: { hops, ref } }: CollectionCall, known: KnownEntities): void {
    if (hops.length > 0 && ref !== null && (known[0] ?? null) === null) throw resourceNotFound()
  }

  /** The questions that `HopWrites` asks, in its order. */
  async #write(verb: WriteVerb, call: CollectionCall, { known, filter }: PermittedPath): Promise<Asked[]> {
    const step = call.path.hops.at(-1)!
    const near = await this.#near(call, { known, filter })
    if (near instanceof AppError) return [refused(near)]
    const target = known.at(-1) ?? null
    let wanted = filter
    const at = (asks: typeof verb) =>
      this.#hear(call, async (asked) => {
        const own = await this.#engine.look(call.app.id, (reads) =>
          this.#rights.permitStep(reads, asked, rightOf(asks), near, step),
        )
        wanted = both(filter, own)
      })
    /** What is there must be among those that the rights are for. */
    const within = () =>
      this.#hear(unheard(call), (asked) => {
        if (target !== null) this.#rights.within(asked, wanted, target)
      }).then(({ refusal }): Asked => ({ rights: [], refusal }))
    const misses = problemOf(verb, step)
    if (misses !== null) return [refused(misses)]
    if (verb === 'post' || (verb === 'put' && step.ref === null)) {
      const stepped = await at('post')
      if (step.ref === null) return [stepped, await this.#mayCreate(call, 'post', step)]
      return [stepped, await this.#mayJoin(call, step, target), await within()]
    }
    const isJoined = target !== null && (await this.#engine.sourceOf([near], hopOf(step), target)) !== null
    if (verb === 'delete') {
      const stepped = await at('delete')
      return [stepped, ...(isJoined ? [] : [await this.#mayRead(call, step, target)]), await within()]
    }
    const stepped = await at('put')
    if (verb === 'patch' || (step.collection !== null && !isUuid(step.ref!))) {
      const shown = await this.#mayRead(call, step, target)
      // What is not connected is not there to be changed, whoever asks.
      if (!isJoined) return [stepped, shown]
      return [stepped, shown, await within(), ...(await this.#mayUpdate(call, step, target))]
    }
    if (target === null) {
      const isFree = step.collection !== null && (await this.#isFree(call, step.ref!))
      return [stepped, isFree ? await this.#mayCreate(call, 'put', step) : refused(resourceNotFound())]
    }
    const joins = isJoined ? [] : [await this.#mayJoin(call, step, target)]
    return [stepped, ...joins, await within(), ...(await this.#mayUpdate(call, step, target))]
  }

  #mayRead(call: CollectionCall, step: HopStep, target: StoredEntity | null): Promise<Asked> {
    return this.#hear(call, ({ caller, app }) => {
      if (target === null || !this.#rights.mayReadIn(caller, app, step, target)) throw resourceNotFound()
    })
  }

  #mayJoin(call: CollectionCall, step: HopStep, target: StoredEntity | null): Promise<Asked> {
    return this.#hear(call, (asked) => {
      if (target === null) throw resourceNotFound()
      this.#rights.permitTarget(asked, step, target)
    })
  }

  async #mayUpdate(call: CollectionCall, step: HopStep, target: StoredEntity | null): Promise<Asked[]> {
    if (target === null) return []
    return [await this.#hear(call, (asked) => this.#rights.permitUpdate(asked, step, target))]
  }

  #mayCreate(call: CollectionCall, verb: 'post' | 'put', step: HopStep): Promise<Asked> {
    return this.#hear(call, (asked) => this.#rights.permitCreation(asked, verb, step.collection!))
  }

  #hear(call: CollectionCall, ask: (asked: CollectionCall) => unknown): Promise<Asked> {
    return hear(call.caller, (caller) => ask({ ...call, caller }))
  }

  /** The entities that the path names, where they are of the collection that it says. */
  async #known(call: CollectionCall): Promise<KnownEntities> {
    const { path } = call
    const found = await this.#engine.look(call.app.id, (reads) => this.#rights.knownOn(reads, call))
    return [path, ...path.hops].map(({ collection }, i) => {
      const entity = found[i] ?? null
      return collection === null || entity?.collection === collection ? entity : null
    })
  }

  /** The entity that is written to, or why there is none. */
  async #near(call: CollectionCall, { known, filter }: PermittedPath): Promise<StoredEntity | AppError> {
    try {
      return (await this.#hops.near(call, filter)) ?? known[0] ?? resourceNotFound()
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
  }

  /** Whether no entity of any collection has the uuid. */
  async #isFree({ app }: CollectionCall, uuid: string): Promise<boolean> {
    return (await this.#engine.store.getAny(app.id, uuid.toLowerCase())) === null
  }
}

/** The same, for questions that only lead to the one that counts. */
const unheard = ({ caller: { witness: _, ...caller }, ...call }: CollectionCall): CollectionCall => ({
  ...call,
  caller,
})

const joined = (answers: readonly Asked[]): Asked => ({
  rights: answers.flatMap(({ rights }) => rights),
  refusal: answers.find(({ refusal }) => refusal !== null)?.refusal ?? null,
})

/** Why nobody can write what the path ends with. */
const problemOf = (verb: WriteVerb, step: HopStep): AppError | null => {
  try {
    writable(step)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  if (step.ref !== null) return null
  if (verb === 'delete' || verb === 'patch') return farEndMissing()
  return step.collection === null ? targetMissing() : null
}
