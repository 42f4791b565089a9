import { ConflictError } from './errors.js'

/** What is known about an entity that was read by itself. */
interface Reading {
  tag: string
  /** The entity as it was, whatever became of the object since. */
  base: { uuid?: unknown }
}

/**
 * The reading is kept in a hidden property of the metadata, which copies made by `{ ...entity }` share, which proxies of
 * frameworks pass on, and which neither comparisons nor JSON see.
 */
const READING = Symbol('reading')

/** Notes with which tag, if any, an entity has just been read; returns the entity. */
export const withTag = <T>(entity: T, tag: string | undefined): T => {
  const metadata = metadataOf(entity)
  if (tag !== undefined && metadata !== undefined) {
    const reading: Reading = { tag, base: structuredClone(entity) as Reading['base'] }
    Object.defineProperty(metadata, READING, { value: reading, configurable: true, writable: true })
  }
  return entity
}

/** The entity tag that an entity, or a copy of it, was read with; entities of lists have none. */
export const etagOf = (entity: unknown): string | undefined => readingOf(entity)?.tag

/** The entity as it was read. */
export const baseOf = (entity: unknown): unknown => readingOf(entity)?.base

const readingOf = (entity: unknown): Reading | undefined => {
  const reading = metadataOf(entity)?.[READING]
  // Metadata that was copied to another entity says nothing about that.
  return reading?.base.uuid === (entity as Reading['base'])?.uuid ? reading : undefined
}

const metadataOf = (entity: unknown): { [READING]?: Reading } | undefined => {
  const { metadata } = (entity ?? {}) as { metadata?: unknown }
  return typeof metadata === 'object' && metadata !== null ? metadata : undefined
}

export const isRefused = (error: unknown): error is ConflictError =>
  error instanceof ConflictError && error.code === 'precondition_failed'
