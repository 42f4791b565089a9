import type { Call, CallOptions, Envelope } from './call.js'
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
  const call: Call = { ...options, method: 'GET', path, query: { ql, limit, cursor, count } }
  const reply = await session.send<Envelope<T>>(call)
  const page: Page<T> = { entities: reply.entities ?? [] }
  if (reply.cursor !== undefined) page.cursor = reply.cursor
  if (reply.total !== undefined) page.total = reply.total
  return page
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
