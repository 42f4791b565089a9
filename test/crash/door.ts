import type { Properties } from './journal.js'

export interface Reply {
  status: number
  headers: Headers
  // Bodies are read by tests, which compare what they find.
  body: ReturnType<typeof JSON.parse>
}

export interface Sending {
  params?: Record<string, string | number>
  body?: unknown
  headers?: Record<string, string>
}

/** Where an application is reached: a URL that changes when its server is started again. */
export interface Door {
  /** URL of an application that is open to everybody. */
  readonly url: string
}

/** Sends one request. Rejects when the connection is lost before the whole reply is there. */
export const send = async (
  { url }: Door,
  method: string,
  path: string,
  { params = {}, body, headers = {} }: Sending = {},
): Promise<Reply> => {
  const pairs = Object.entries(params).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  const search = pairs.length === 0 ? '' : `?${pairs.join('&')}`
  const response = await fetch(`${url}/${path}${search}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: JSON.parse(text) }
}

/** The entities of a reply, or of all results of a batch, without what is not stored: paths, sizes, links. */
export const storedOf = ({ body }: Reply): Properties[] => {
  const results: { entities: Properties[] }[] = body.results ?? [body]
  return results.flatMap(({ entities = [] }) => entities.map(({ metadata: _, ...entity }) => entity))
}
