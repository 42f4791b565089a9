import type { Context, Request } from './target.js'

/** One request while something is set up. Throws for any answer but 2xx. */
export const ask = async (url: string, { method, path, headers, body }: Request): Promise<string> => {
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await fetch(url + path, { method, headers: { ...type, ...headers }, body })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 1000)}`)
  return text
}

export const askAs = (context: Context, request: Request): Promise<string> =>
  ask(context.url, { ...request, headers: { ...context.headers, ...request.headers } })

/** Sends JSON, and answers with JSON. */
export const call = async <T>(
  url: string,
  method: Request['method'],
  path: string,
  body?: object,
  headers?: Record<string, string>,
): Promise<T> =>
  JSON.parse(await ask(url, { method, path, headers, body: body && JSON.stringify(body) })) as T
