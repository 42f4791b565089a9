import { documentText } from './document.js'
import { AppError, illegalArgument } from './errors.js'
import type { JsonObject } from './json.js'

/**
 * The entity tag of a stored document: it changes with every change of the document. `links`, the verbs shown in the
 * metadata, follow behind a dot: a reader's copy is stale when they change, but a writer need not be told.
 * Quotes included (RFC 9110, 8.8.3).
 */
export const entityTag = (doc: string, links: object | null): string =>
  links === null ? `"${digest(doc)}"` : `"${digest(doc)}.${digest(JSON.stringify(links))}"`

/** The tag of an entity in hand, as it would be stored. */
export const documentTag = (entity: JsonObject): string => entityTag(documentText(entity), null)

/**
 * 64 bits: two hashes of 32 that multiply by different numbers. No secret depends on them: who could find two documents
 * of one tag is who may write them. SHA-256 costs a request three times as much.
 */
const digest = (text: string): string => {
  let a = text.length
  let b = ~text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x9e3779b1)
    b = Math.imul(b ^ unit, 0x85ebca77)
  }
  return mixed(a).toString(36) + mixed(b).toString(36).padStart(7, '0')
}

/** Lets every bit of a number bear on every other, as MurmurHash3 ends. */
const mixed = (number: number): number => {
  let h = number ^ (number >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Entity tags of a header, without quotes; `*` stands for any. */
export type EntityTags = '*' | readonly string[]

const TAG = /^(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/

/** @throws {AppError} `illegal_argument` when the header is neither `*` nor a list of entity tags. */
export const parseEntityTags = (header: string): EntityTags => {
  const text = header.trim()
  if (text === '*') return '*'
  return text.split(',').map((part) => {
    // Proxies that compress make a tag weak; the document it stands for is the same.
    const tag = TAG.exec(part.trim())?.[1]
    if (tag === undefined)
      throw illegalArgument('If-Match and If-None-Match take "*" or entity tags in quotes')
    return tag
  })
}

/** What a request is conditional on (RFC 9110, 13.1); `null` for nothing. */
export interface Conditions {
  ifMatch: EntityTags | null
  ifNoneMatch: EntityTags | null
  /** How the one who asks sees an entity, which his tags are of; as it is when absent. */
  seen?: ((entity: Tagged) => Tagged) | undefined
}

interface Tagged {
  readonly doc: string
}

export const NO_CONDITIONS: Conditions = { ifMatch: null, ifNoneMatch: null }

export const readConditions = ({
  ifMatch,
  ifNoneMatch,
}: {
  ifMatch?: string | undefined
  ifNoneMatch?: string | undefined
}): Conditions =>
  ifMatch === undefined && ifNoneMatch === undefined
    ? NO_CONDITIONS
    : {
        ifMatch: ifMatch === undefined ? null : parseEntityTags(ifMatch),
        ifNoneMatch: ifNoneMatch === undefined ? null : parseEntityTags(ifNoneMatch),
      }

/**
 * Whether a write may go on, given the entity as it is, `null` when there is none.
 * @throws {AppError} `precondition_failed`
 */
export const checkConditions = (
  { ifMatch, ifNoneMatch, seen = (entity) => entity }: Conditions,
  stored: Tagged | null,
): void => {
  if (ifMatch === null && ifNoneMatch === null) return
  const entity = stored === null ? null : seen(stored)
  if (ifMatch !== null && (entity === null || !includesDocument(ifMatch, entity.doc)))
    throw new AppError('precondition_failed', 'The entity is not, or no longer, what If-Match names')
  if (ifNoneMatch !== null && entity !== null && includesDocument(ifNoneMatch, entity.doc))
    throw new AppError('precondition_failed', 'There is such an entity already, which If-None-Match excludes')
}

const includesDocument = (tags: EntityTags, doc: string): boolean =>
  tags === '*' || tags.some((tag) => tag.split('.', 1)[0] === digest(doc))

/** Whether a reader's copy is still good, `tag` being what he would be sent. */
export const isFresh = ({ ifNoneMatch }: Conditions, tag: string): boolean =>
  ifNoneMatch !== null && (ifNoneMatch === '*' || ifNoneMatch.includes(tag.slice(1, -1)))
