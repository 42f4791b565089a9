import { resourceNotFound } from '../domain/errors.js'
import type { Limits } from '../domain/limits.js'
import { isUuid } from '../domain/uuid.js'
import type { Lookup, StoredEntity } from '../storage/store.js'
import type { Descriptor, Descriptors } from './descriptor.js'

/** Synchronous look-ups of entities by what paths call them, in one application. */
export class Reads {
  readonly #lookup: Lookup
  protected readonly descriptors: Descriptors

  constructor(lookup: Lookup, descriptors: Descriptors) {
    this.#lookup = lookup
    this.descriptors = descriptors
  }

  /** `null` also for what is no uuid: a path may have anything in its place. */
  getAny(uuid: string): StoredEntity | null {
    return isUuid(uuid) ? this.#lookup.getAny(uuid.toLowerCase()) : null
  }

  /** The entity that a path segment means, or `null`. */
  find(collection: string, ref: string): StoredEntity | null {
    if (isUuid(ref)) return this.#lookup.get(collection, ref.toLowerCase())
    const descriptor = this.descriptors.of(collection)
    for (const property of aliasesFor(descriptor, ref))
      for (const name of spellings(descriptor, property, ref)) {
        const found = this.#lookup.find(collection, property, name)
        if (found !== null) return found
      }
    return null
  }

  get limits(): Limits {
    return this.descriptors.limits
  }

  /** @throws {AppError} `service_resource_not_found` */
  get(collection: string, ref: string): StoredEntity {
    const entity = this.find(collection, ref)
    if (entity === null) throw resourceNotFound()
    return entity
  }

  /** Like `items.map(work)`, with far fewer reads. */
  each<T, R>(items: readonly T[], work: (item: T, index: number) => R): R[] {
    return this.#lookup.each(items, work)
  }
}

const MAIL = /^[^\s@]+@[^\s@]+$/

/** The properties to look a reference up by: e-mail addresses are tried as such first. */
export const aliasesFor = ({ alias }: Descriptor, ref: string): readonly string[] =>
  alias.includes('email')
    ? MAIL.test(ref)
      ? ['email', ...alias.filter((name) => name !== 'email')]
      : alias.filter((name) => name !== 'email')
    : alias

/** A reference as the property would be stored now, and as it may have been stored before that form was asked for. */
export const spellings = ({ spelled }: Descriptor, property: string, ref: string): readonly string[] => {
  const name = Object.hasOwn(spelled, property) ? spelled[property]!(ref) : ref
  return name === ref ? [ref] : [name, ref]
}
