import { entityTag } from '../../domain/entity-tag.js'
import type { Projection } from '../../domain/query/ast.js'
import { project } from '../../domain/query/project.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'

export interface RenderOptions {
  /** Path that the entity was reached by, without its uuid: `/dogs`, `/users/U/likes`. */
  base: string
  /** Metres, for queries with `within`. */
  distance?: number | null | undefined
  projection?: Projection | null | undefined
  connections?: 'none' | 'in' | 'out' | 'all' | undefined
  /** Puts the entity tag into the metadata, for lists. */
  etag?: boolean | undefined
  /** Whether the caller may see connections of a verb; all when absent. */
  mayFollow?: ((entity: StoredEntity, verb: string, direction: 'out' | 'in') => boolean) | undefined
}

/** Writes entities as JSON text. The stored document is copied as it is; only `metadata` is made. */
export class Renderer {
  readonly #engine: Engine
  /** The part of `metadata` that depends on the type alone, with the path still to be put in. */
  readonly #parts = new Map<string, { sets: [string, string][]; collections: string[] }>()

  /** What was escaped last. */
  #base = ''
  #escapedBase = ''

  constructor(engine: Engine) {
    this.#engine = engine
  }

  entity(entity: StoredEntity, options: RenderOptions): string {
    const metadata = this.#metadata(entity, options)
    if (options.projection != null) {
      const shown = project(entity.object, options.projection)
      return `${JSON.stringify(shown).slice(0, -1)},"metadata":${metadata}}`
    }
    return `${entity.doc.slice(0, -1)},"metadata":${metadata}}`
  }

  #metadata(
    entity: StoredEntity,
    { base, distance, connections = 'all', etag, mayFollow }: RenderOptions,
  ): string {
    const path = `${base}/${entity.uuid}`
    let json = `{"path":"${this.#escaped(base)}/${entity.uuid}","size":${Buffer.byteLength(entity.doc)}`
    const { sets, collections } = this.#partsOf(entity.collection)
    if (sets.length > 0) json += `,"sets":${links(sets.map(([name, word]) => [name, `${path}/${word}`]))}`
    const isTagged = etag === true
    const verbs = connections === 'none' && !isTagged ? null : linksShown(entity, mayFollow)
    if (verbs !== null && connections !== 'none') {
      const out = connections === 'in' ? [] : (verbs.out ?? [])
      const into = connections === 'out' ? [] : (verbs.in ?? [])
      if (out.length > 0) json += `,"connections":${links(out.map((verb) => [verb, `${path}/${verb}`]))}`
      if (into.length > 0)
        json += `,"connecting":${links(into.map((verb) => [verb, `${path}/connecting/${verb}`]))}`
    }
    if (collections.length > 0)
      json += `,"collections":${links(collections.map((name) => [name, `${path}/${name}`]))}`
    if (distance != null) json += `,"distance":${distance}`
    if (isTagged) json += `,"etag":${JSON.stringify(entityTag(entity.doc, verbs))}`
    return `${json}}`
  }

  /** As a JSON string has it, for the verb of a connection may have quotes in it. Many entities in turn have one base. */
  #escaped(base: string): string {
    if (base !== this.#base) {
      this.#base = base
      this.#escapedBase = JSON.stringify(base).slice(1, -1)
    }
    return this.#escapedBase
  }

  #partsOf(collection: string): { sets: [string, string][]; collections: string[] } {
    let parts = this.#parts.get(collection)
    if (parts === undefined) {
      const { sets, subCollections } = this.#engine.descriptor(collection)
      parts = { sets: Object.entries(sets), collections: Object.keys(subCollections) }
      if (this.#parts.size > 10_000) this.#parts.clear()
      this.#parts.set(collection, parts)
    }
    return parts
  }
}

/** The verbs of an entity's connections, without those that the caller may not follow; `null` where there are none. */
export const linksShown = (
  entity: StoredEntity,
  mayFollow: RenderOptions['mayFollow'],
): StoredEntity['links'] => {
  const { links: all } = entity
  if (all === null || mayFollow === undefined) return all
  const shown = (direction: 'out' | 'in'): string[] =>
    (all[direction] ?? []).filter((verb) => mayFollow(entity, verb, direction))
  const [out, into] = [shown('out'), shown('in')]
  if (out.length === 0 && into.length === 0) return null
  return { ...(out.length > 0 && { out }), ...(into.length > 0 && { in: into }) }
}

const links = (pairs: readonly (readonly [string, string])[]): string =>
  `{${pairs.map(([name, path]) => `${JSON.stringify(name)}:${JSON.stringify(path)}`).join(',')}}`
