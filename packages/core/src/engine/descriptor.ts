import type { PropertyRules } from '../domain/entity.js'
import type { Json, JsonObject } from '../domain/json.js'
import { DEFAULT_LIMITS, type Limits } from '../domain/limits.js'
import type { StoredEntity } from '../storage/store.js'
import type { Edits } from './edits.js'

/** A list that hangs on an entity: `groups/{g}/users`. It is kept as connections of a verb of its own. */
export interface SubCollection {
  /** Where its entities live. */
  collection: string
  /** The verb that keeps it; both sides of a membership name the same one. */
  verb: string
  direction: 'out' | 'in'
  /**
   * The word for the same list on the other side, when that side decides about it: a user joins a group only
   * by a right on the group's own path.
   */
  inverse?: string
  /**
   * What the right to the list gives on the entities in it: whoever may read a user's feed may read what is in
   * it, whoever may write his devices may write each. Otherwise an entity's own path decides.
   */
  gives?: 'get' | 'put'
  /** What is made in it belongs to its owner: its name begins with the owner's uuid and a colon. */
  scoped?: boolean
  /** The entity that the connection leads to hangs on one only: it leaves the list it was in. */
  exclusive?: boolean
}

/** Everything that is special about one collection. The engine reads it; nothing else asks for types. */
export interface Descriptor extends PropertyRules {
  collection: string
  /** Properties by which a path may name an entity, tried in order. The first is set when a PUT creates. */
  alias: readonly string[]
  /** Properties whose values are taken by one entity at most, letter case aside. */
  unique: readonly string[]
  subCollections: Readonly<Record<string, SubCollection>>
  /** Dictionaries shown as `metadata.sets`: name and the path word behind the entity. */
  sets: Readonly<Record<string, string>>
  /** Words behind an entity that are commands or dictionaries, and never name connections. */
  commands: readonly string[]
  /** Properties that only administrators of the application may write; ignored from anybody else. Lower case. */
  adminOnly: readonly string[]
  /** Completes or refuses what is about to be stored for the first time. `now` is UTC milliseconds. */
  prepare?: (properties: Map<string, Json>, now: number) => void
  /** Completes a change that is about to be stored, and does what follows from it. */
  amend?: (properties: Map<string, Json>, before: StoredEntity, edits: Edits) => void
  /** Called for a new entity whose uuid its maker chose: there may have been another of that uuid before. */
  succeed?: (edits: Edits, entity: StoredEntity) => void
  /** Refuses what must never be stored, whether new or changed. `before` is what was there. */
  check?: (properties: ReadonlyMap<string, Json>, before: JsonObject | null) => void
  /**
   * Work on a new entity's body that must wait, such as hashing its password, done before the transaction;
   * what it resolves to runs inside, with the stored entity. `app` is the application it is made in.
   */
  secure?: (body: JsonObject, app: number) => Promise<((edits: Edits, entity: StoredEntity) => void) | null>
}

const PLAIN: Omit<Descriptor, 'collection' | 'nameLength'> = {
  required: [],
  immutable: [],
  withheld: [],
  typed: {},
  spelled: {},
  alias: ['name'],
  unique: ['name'],
  subCollections: {},
  sets: {},
  commands: [],
  adminOnly: [],
}

/** What holds for entities: the built-in collections' descriptors, any other collection being plain; and the limits. */
export class Descriptors {
  readonly limits: Limits
  readonly #rest: Omit<Descriptor, 'collection'>
  readonly #special: ReadonlyMap<string, Descriptor>
  readonly #plain = new Map<string, Descriptor>()

  constructor(
    special: readonly (Partial<Descriptor> & { collection: string })[],
    limits: Limits = DEFAULT_LIMITS,
  ) {
    this.limits = limits
    this.#rest = { ...PLAIN, nameLength: limits.nameLength }
    this.#special = new Map(
      special.map((descriptor) => [descriptor.collection, { ...this.#rest, ...descriptor }]),
    )
  }

  get names(): string[] {
    return [...this.#special.keys()]
  }

  of(collection: string): Descriptor {
    const special = this.#special.get(collection) ?? this.#plain.get(collection)
    if (special !== undefined) return special
    if (this.#plain.size > 10_000) this.#plain.clear()
    const plain = { ...this.#rest, collection }
    this.#plain.set(collection, plain)
    return plain
  }
}
