import type { Application, Caller } from '../../api/caller.js'
import { type Params, param } from '../../api/url.js'
import { isUserIdentifier } from '../../domain/account-names.js'
import { type Conditions, NO_CONDITIONS } from '../../domain/entity-tag.js'
import { illegalArgument, resourceNotFound } from '../../domain/errors.js'
import type { Json, JsonObject } from '../../domain/json.js'
import type { Limits } from '../../domain/limits.js'
import { readLimit } from '../../domain/page.js'
import { isSameName, type Verb } from '../../domain/permission.js'
import type { Query } from '../../domain/query/ast.js'
import { decodeQuery, parseQuery } from '../../domain/query/parse.js'
import type { Batch, PageRequest } from '../../engine/engine.js'
import type { Listing, StoredEntity } from '../../storage/store.js'
import type { CollectionPath } from './path.js'

/** Entities on one page of a collection or sub-collection. */
export const PAGE = 10

/** One request on collections, ready to be carried out. */
export interface CollectionCall {
  app: Application
  caller: Caller
  path: CollectionPath
  params: Params
  body: Json | undefined
  /** Of the write, or of the entity that is read. */
  conditions?: Conditions
}

export type WriteVerb = 'post' | 'put' | 'patch' | 'delete'

/** The right that a write takes. */
export const rightOf = (verb: WriteVerb): Verb => (verb === 'patch' ? 'put' : verb)

/** Told of the collection of every committed write. */
export type Changed = (app: Application, collection: string) => void

/** @throws {AppError} `illegal_argument` when conditions come with what is not one entity. */
export const unconditional = ({ conditions = NO_CONDITIONS }: CollectionCall): void => {
  if (conditions.ifMatch !== null || conditions.ifNoneMatch !== null)
    throw illegalArgument('If-Match and If-None-Match are for reading, changing or deleting one entity')
}

/** What a request came to: entities, and the path they were reached by. */
export interface CollectionResult {
  entities: readonly StoredEntity[]
  distances?: Listing['distances']
  cursor?: string | null
  query?: Query
  /** Path of the collection: `/dogs`, `/users/U/likes`. */
  base: string
  /** The path of each entity's own list, where the lists of several sources were joined. */
  bases?: readonly string[] | undefined
  /** A listing of a root collection tells its page's size. */
  isRootListing?: boolean
  /** The request was about one entity, of which the reply has the entity tag. */
  isSingle?: boolean
  /** Number of all matches, where it was asked for. */
  total?: number | undefined
  failed?: Batch['failed']
}

/**
 * `me` is the app user whose token was presented, and so is his own username, even where it is another user's
 * e-mail address: what the gate took for himself must be himself.
 * @throws {AppError} `service_resource_not_found` for `me` without a user; `illegal_argument` for what can name none.
 */
export const refFor = (collection: string | null, ref: string, { principal, self }: Caller): string => {
  if (collection !== 'users') return ref
  const isMe = ref.toLowerCase() === 'me'
  if (principal.kind === 'user' && self !== null && (isMe || isSameName(ref, self.username))) return self.uuid
  if (isMe) throw resourceNotFound()
  if (!isUserIdentifier(ref)) throw illegalArgument(`Not a valid user identifier: ${ref}`)
  return ref
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const textOf = (params: Params): string | undefined =>
  param(params, 'ql') ?? param(params, 'q') ?? param(params, 'query')

/** Whether the number of all matches was asked for. */
export const wantsTotal = (params: Params): boolean => param(params, 'count') === 'total'

export const queryOf = (params: Params, limits: Limits): Query =>
  parseQuery(decodeQuery(textOf(params) ?? ''), limits)

/** What a step asks for itself counts; else what the whole request asks for. */
export const pageOf = (own: Params | null, params: Params, fallback: number, limits: Limits): PageRequest => {
  const asked = own === null || own.size === 0 ? params : own
  const cursor = param(asked, 'cursor') ?? null
  return {
    query: queryOf(asked, limits),
    limit: readLimit(param(asked, 'limit'), fallback, limits.pageSize),
    cursor: cursor === '' ? null : cursor,
  }
}

export const listed = (
  { items, distances, cursor }: Listing,
  { query }: PageRequest,
): Omit<CollectionResult, 'base'> => ({ entities: items, distances, cursor, query })
