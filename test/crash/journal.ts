import { isDeepStrictEqual } from 'node:util'

export type Properties = Record<string, unknown>
/**
 * What is known of one thing: the properties of an entity without `metadata`, `true` for a connection, `null` if
 * it is not there. A property of `DECIDED` that is missing may have any value.
 */
export type Fact = Properties | true | null

/** What a request does to one thing, if it is stored. The client that sends it is the only one to write the thing. */
export interface Change {
  /** `dogs c1-7` for an entity, `dogs c1-7 likes dogs c1-9` for a connection. */
  readonly key: string
  readonly before: Fact
  readonly after: Fact
}

/** What a request adds to the property `n` of an entity that many clients write. */
export interface Addition {
  readonly key: string
  readonly by: number
}

/** A request that has not been answered, or whose answer said that its outcome is not known. */
export interface Attempt {
  readonly request: string
  readonly changes: readonly Change[]
  readonly additions: readonly Addition[]
}

export interface Findings {
  /** Requests that were acknowledged until now, and things that they left behind and that were found. */
  acknowledged: number
  found: number
  /**
   * Requests without an answer since the last look: how many turned out to be stored, and how many not. Of those that
   * only add to a number that cannot be told; they count as lost, and the number must be one that they allow.
   */
  stored: number
  lost: number
  /** One sentence for each thing that is not as it must be. */
  problems: string[]
}

/** Decided by the server, and so not known of a request that was never answered. */
const DECIDED = ['uuid', 'type', 'created', 'modified'] as const

/** Events of one thing that are remembered. */
const KEPT = 12

/** What clients know of what they stored, kept by the clients. */
export class Journal {
  readonly #facts = new Map<string, Fact>()
  /** Of the entities that are added to, by key. */
  readonly #sums = new Map<string, number>()
  readonly #open = new Set<Attempt>()
  readonly #problems: string[] = []
  readonly #histories = new Map<string, string[]>()
  #touched = new Set<string>()
  #acknowledged = 0

  get acknowledged(): number {
    return this.#acknowledged
  }

  fact(key: string): Fact {
    return this.#facts.get(key) ?? null
  }

  /** Of everything that is there for sure. */
  keys(): Iterable<string> {
    return this.#facts.keys()
  }

  /** Things that were written since the last look. */
  get touched(): readonly string[] {
    return [...this.#touched]
  }

  /** Notes an entity that is there, with `n` 0, for clients to add to. */
  addTo(key: string): void {
    this.#sums.set(key, 0)
  }

  begin(request: string, changes: readonly Change[], additions: readonly Addition[] = []): Attempt {
    const attempt = { request, changes, additions }
    this.#open.add(attempt)
    this.#note(attempt, 'sent')
    return attempt
  }

  /** Notes what the server acknowledged: `entities` are those of its reply. */
  acknowledge(attempt: Attempt, entities: readonly Properties[]): void {
    this.#open.delete(attempt)
    this.#note(attempt, 'acknowledged')
    this.#acknowledged++
    const replied = new Map(entities.map((entity) => [keyOf(entity), entity]))
    for (const { key, after } of attempt.changes) {
      const entity = replied.get(key)
      if (after !== null && after !== true) {
        if (entity === undefined || !isSame(entity, after))
          this.report(`${attempt.request} was answered with ${show(entity ?? null)} for ${key}`)
      }
      this.#set(key, after === null || after === true ? after : (entity ?? after))
    }
    this.#add(attempt)
  }

  /** Notes that the server said that it stored nothing. */
  refuse(attempt: Attempt): void {
    this.#open.delete(attempt)
    this.#note(attempt, 'refused')
  }

  /** Notes that the server said that it does not know, or said nothing. */
  doubt(attempt: Attempt): void {
    this.#note(attempt, 'in doubt')
  }

  /** Notes what must never happen, seen at any time. */
  report(problem: string): void {
    this.#problems.push(problem)
  }

  /** Compares with all that is stored. What was open is settled by what is found, and taken for known from now on. */
  compare(observed: ReadonlyMap<string, Fact>): Findings {
    const problems = this.#problems.splice(0)
    let stored = 0
    const unseen: Addition[] = []
    for (const attempt of this.#open) {
      const outcome = outcomeOf(attempt, observed)
      if (outcome === 'unseen') unseen.push(...attempt.additions)
      if (outcome === 'stored') {
        stored++
        this.#add(attempt)
      }
      if (outcome === 'half')
        problems.push(`${attempt.request} was stored by half: ${describe(attempt, observed)}`)
      for (const { key } of attempt.changes) this.#set(key, observed.get(key) ?? null)
    }
    const lost = this.#open.size - stored
    this.#open.clear()
    for (const [key, sum] of this.#sums) {
      const least = sum + sumOf(unseen.filter((one) => one.key === key && one.by < 0))
      const most = sum + sumOf(unseen.filter((one) => one.key === key && one.by > 0))
      const n = numberOf(observed.get(key) ?? null)
      if (!(n >= least && n <= most)) problems.push(`${key} is ${n}, and must be ${least} to ${most}`)
      this.#sums.set(key, n)
    }
    let found = 0
    for (const [key, fact] of this.#facts) {
      const there = observed.get(key) ?? null
      if (there !== null && isSame(there, fact)) found++
      else
        problems.push(`${key} was acknowledged as ${show(fact)} and is ${show(there)}; ${this.#history(key)}`)
    }
    for (const key of observed.keys())
      if (!this.#facts.has(key) && !this.#sums.has(key))
        problems.push(`${key} is stored, though it was not, or was removed; ${this.#history(key)}`)
    this.#touched = new Set()
    return { acknowledged: this.#acknowledged, found, stored, lost, problems }
  }

  /** What the clients did last to a thing, for reports. */
  #history(key: string): string {
    return `its last events: ${(this.#histories.get(key) ?? []).join(', ')}`
  }

  #note({ request, changes }: Attempt, event: string): void {
    const at = performance.now().toFixed(1)
    for (const { key } of changes) {
      this.#touched.add(key)
      const history = this.#histories.get(key) ?? []
      history.push(`${request} ${event} at ${at}`)
      this.#histories.set(key, history.slice(-KEPT))
    }
  }

  #add({ additions }: Attempt): void {
    for (const { key, by } of additions) this.#sums.set(key, (this.#sums.get(key) ?? 0) + by)
  }

  #set(key: string, fact: Fact): void {
    if (fact === null) this.#facts.delete(key)
    else this.#facts.set(key, fact)
  }
}

/** Every entity that is stored here tells what it is known by. */
export const keyOf = (entity: Properties): string => String(entity['key'])

export const isSame = (observed: Fact, fact: Fact): boolean => {
  if (observed === null || fact === null || observed === true || fact === true) return observed === fact
  const known = { ...observed }
  for (const property of DECIDED) if (!(property in fact)) delete known[property]
  return isDeepStrictEqual(known, fact)
}

/** Of a thing that the request leaves as it is, either is right. */
const outcomeOf = (
  { changes }: Attempt,
  observed: ReadonlyMap<string, Fact>,
): 'stored' | 'not stored' | 'half' | 'unseen' => {
  if (changes.length === 0) return 'unseen'
  const is = (side: 'before' | 'after') =>
    changes.every((change) => isSame(observed.get(change.key) ?? null, change[side]))
  if (is('after')) return 'stored'
  return is('before') ? 'not stored' : 'half'
}

const numberOf = (fact: Fact): number => (fact === null || fact === true ? Number.NaN : Number(fact['n']))

const sumOf = (additions: readonly Addition[]): number => additions.reduce((sum, { by }) => sum + by, 0)

const describe = ({ changes }: Attempt, observed: ReadonlyMap<string, Fact>): string =>
  changes
    .map(({ key, before, after }) => {
      return `${key} was ${show(before)}, was to be ${show(after)}, is ${show(observed.get(key) ?? null)}`
    })
    .join('; ')

const show = (fact: Fact): string => (fact === null ? 'not there' : JSON.stringify(fact))
