import type { Json, JsonObject } from '../domain/json.js'
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
}

/** An endpoint as a value. Patterns are compared without regard to letter case. */
export const route = <C extends Call>(
  methods: Method | readonly Method[],
  pattern: string,
  run: (call: C) => Promise<ApiReply>,
): Route<C> => ({
  methods: typeof methods === 'string' ? [methods] : methods,
  pattern: pattern.split('/').filter((part) => part !== ''),
  run,
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
