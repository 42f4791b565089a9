import type { Json, JsonObject } from '../domain/json.js'
import { collectionName } from '../domain/names.js'
import type { Application, Caller } from './caller.js'
import type { ApiReply, ApiRequest, Method } from './request.js'
import type { Params, Segment } from './url.js'

/** One request that found its route. */
export interface Call {
  request: ApiRequest
  params: Params
  /** The segments that stood where the pattern has `:name`, in order. */
  args: readonly string[]
  caller: Caller
  /** UTC milliseconds. */
  startedAt: number
  now: () => number
}

/** The same, in an application. */
export interface AppCall extends Call {
  app: Application
  /** Below the application. */
  segments: readonly Segment[]
}

export interface Route<C extends Call> {
  methods: readonly Method[]
  /** `:name` stands for any one segment. */
  pattern: readonly string[]
  run: (call: C) => Promise<ApiReply>
  /**
   * Asks for the right that `run` asks for first, and does nothing else. Absent where no permission string decides,
   * or where the body does, too. @throws {AppError} `unauthorized`
   */
  asks?: ((call: C) => unknown) | undefined
}

/** An endpoint as a value. Patterns are compared without regard to letter case. */
export const route = <C extends Call>(
  methods: Method | readonly Method[],
  pattern: string,
  run: (call: C) => Promise<ApiReply>,
  asks?: (call: C) => unknown,
): Route<C> => ({
  methods: typeof methods === 'string' ? [methods] : methods,
  pattern: pattern.split('/').filter((part) => part !== ''),
  run,
  asks,
})

export interface Match<C extends Call> {
  route: Route<C>
  args: string[]
}

/**
 * Finds the route of a path. `other` tells that the path exists, but not with this method.
 */
export const matchRoute = <C extends Call>(
  routes: readonly Route<C>[],
  method: Method,
  segments: readonly Segment[],
): { match: Match<C> | null; other: boolean } => {
  let other = false
  for (const candidate of routes) {
    if (candidate.pattern.length !== segments.length) continue
    const args = argsOf(candidate.pattern, segments)
    if (args === null) continue
    if (candidate.methods.includes(method)) return { match: { route: candidate, args }, other: false }
    other = true
  }
  return { match: null, other }
}

/** The same below an application: fixed endpoints of a collection answer to every spelling of its name, as it does. */
export const matchAppRoute = (
  routes: readonly Route<AppCall>[],
  method: Method,
  segments: readonly Segment[],
): ReturnType<typeof matchRoute<AppCall>> => {
  const found = matchRoute(routes, method, segments)
  const [first, ...rest] = segments
  if (found.match !== null || found.other || first === undefined || rest.length === 0) return found
  const text = collectionName(first.text)
  return text === first.text ? found : matchRoute(routes, method, [{ ...first, text }, ...rest])
}

const argsOf = (pattern: readonly string[], segments: readonly Segment[]): string[] | null => {
  const args: string[] = []
  for (const [i, part] of pattern.entries()) {
    const { text, query } = segments[i]!
    if (query !== null) return null
    if (part.startsWith(':')) args.push(text)
    else if (part !== text && part !== text.toLowerCase()) return null
  }
  return args
}

/** Body fields of requests that may also come as a form or in the query: the body's come first. */
export const fieldsOf = ({ request, params }: Call): JsonObject => {
  const query = Object.fromEntries([...params].map(([name, values]) => [name, values[0] as Json]))
  const { body } = request
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...query, ...body } : query
}
