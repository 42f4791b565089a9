import type { CallOptions, Envelope } from './call.js'
import { withTag } from './entity-tag.js'
import type { RawQuery } from './query.js'
import type { Session } from './session.js'

/** A part of a listing. */
export interface Page<T> {
  entities: T[]
  /** Where the next page begins; absent on the last one. */
  cursor?: string
  /** Number of all matches, where it was asked for. */
  total?: number
}

export const readPage = async <T>(
  session: Session,
  path: string,
  { ql, limit, cursor, count }: RawQuery,
  options?: CallOptions,
): Promise<Page<T>> => {
  const query = { ql, limit, cursor, count, etags: 'true' }
  const reply = await session.send<Envelope<T>>({ ...options, method: 'GET', path, query })
  const page: Page<T> = { entities: (reply.entities ?? []).map(tagged) }
  if (reply.cursor !== undefined) page.cursor = reply.cursor
  if (reply.total !== undefined) page.total = reply.total
  return page
}

/** The server puts the tags of listed entities into their metadata, from where they are taken. */
const tagged = <T>(entity: T): T => {
  const { metadata } = entity as { metadata?: { etag?: string } }
  const etag = metadata?.etag
  if (etag === undefined) return entity
  delete metadata!.etag
  return withTag(entity, etag)
}

const PAGE_SIZE = 100

/** Reads page after page, each when the one before is used up. The options hold for each page by itself. */
export async function* readAll<T>(
  session: Session,
  path: string,
  { limit = PAGE_SIZE, count: _, ...query }: RawQuery,
  options?: CallOptions,
): AsyncGenerator<T, void, undefined> {
  let page: Page<T> | undefined
  do {
    page = await readPage<T>(
      session,
      path,
      { ...query, limit, cursor: page?.cursor ?? query.cursor },
      options,
    )
    yield* page.entities
  } while (page.cursor !== undefined)
}
