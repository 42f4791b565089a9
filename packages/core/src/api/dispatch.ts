import { AppError } from '../domain/errors.js'
import { checkDepth } from '../domain/json-depth.js'
import { type Limits, tooLong } from '../domain/limits.js'
import { isUuid } from '../domain/uuid.js'
import type { Application, Caller } from './caller.js'
import { GUEST } from './principal.js'
import type { Meter, Rates } from './rates.js'
import { addHeader, errorReply, type ReportError } from './reply.js'
import type { ApiReply, ApiRequest } from './request.js'
import { type AppCall, type Call, matchAppRoute, matchRoute, type Route } from './route.js'
import { type Params, parsePath, parseSearch, type Segment } from './url.js'

export interface DispatcherOptions {
  /** Fixed endpoints below `/.well-known` (RFC 8615), for everybody: no credentials are looked at. */
  openRoutes: readonly Route<Call>[]
  managementRoutes: readonly Route<Call>[]
  /** Fixed endpoints below an application; every other path is a collection's. */
  appRoutes: readonly Route<AppCall>[]
  collections: (call: AppCall) => Promise<ApiReply>
  resolve: (organization: string, application: string) => Promise<Application>
  resolveUuid: (uuid: string) => Promise<Application>
  /** The path of a request with a parameter `force`, below its application, as that parameter wants it read. */
  forced: (
    app: Application,
    caller: Caller,
    segments: readonly Segment[],
    params: Params,
  ) => Promise<readonly Segment[]>
  authenticate: (request: ApiRequest, params: Params, app: Application | null) => Promise<Caller>
  limits: Limits
  rates: Rates
  /** UTC milliseconds. */
  clock: () => number
  report: ReportError
}

const WELL_KNOWN = '.well-known'
const NOBODY: Caller = {
  principal: GUEST,
  label: 'guest',
  organizations: new Set(),
  self: null,
  grants: null,
}
const ORGANIZATIONS = new Set(['o', 'orgs', 'organizations'])
const APPLICATIONS = new Set(['a', 'app', 'apps', 'application', 'applications'])

/** Takes a request to its route: finds the application, finds out who is asking, and answers. Never throws. */
export class Dispatcher {
  readonly #options: DispatcherOptions

  constructor(options: DispatcherOptions) {
    this.#options = options
  }

  async handle(request: ApiRequest): Promise<ApiReply> {
    const meter = this.#options.rates.open(request)
    const reply = await this.#answer(request, meter)
    return meter === null ? reply : meter.sign(reply)
  }

  async #answer(request: ApiRequest, meter: Meter | null): Promise<ApiReply> {
    const { clock, report, limits } = this.#options
    const startedAt = clock()
    try {
      // Waited for only when there is something to wait for.
      const admission = meter?.admitAddress()
      if (admission !== undefined) await admission
      const segments = parsePath(request.path, limits.pathSegments)
      if (request.path.length + request.search.length > limits.url) throw tooLong(limits.url)
      checkDepth(request.body, limits.depth)
      const params = parseSearch(request.search)
      if (segments[0]?.text === WELL_KNOWN) return await this.#open(request, params, segments, startedAt)
      if (segments[0]?.text.toLowerCase() === 'management')
        return await this.#management(request, params, segments.slice(1), startedAt, meter)
      return await this.#application(request, params, segments, startedAt, meter)
    } catch (error) {
      return errorReply(error, startedAt, clock(), report)
    }
  }

  async #open(
    request: ApiRequest,
    params: Params,
    segments: Segment[],
    startedAt: number,
  ): Promise<ApiReply> {
    const { openRoutes, clock } = this.#options
    const { match, other } = matchRoute(openRoutes, request.method, segments)
    if (match === null) throw notFound(other, request)
    return match.route.run({ request, params, args: match.args, caller: NOBODY, startedAt, now: clock })
  }

  async #management(
    request: ApiRequest,
    params: Params,
    segments: Segment[],
    startedAt: number,
    meter: Meter | null,
  ): Promise<ApiReply> {
    const normal = segments.map((segment) => ({ ...segment, text: longForm(segment.text) }))
    const { match, other } = matchRoute(this.#options.managementRoutes, request.method, normal)
    if (match === null) throw notFound(other, request)
    const caller = await this.#caller(request, params, null, meter)
    return match.route.run({ request, params, args: match.args, caller, startedAt, now: this.#options.clock })
  }

  async #application(
    request: ApiRequest,
    params: Params,
    path: Segment[],
    startedAt: number,
    meter: Meter | null,
  ): Promise<ApiReply> {
    const { app, segments: typed } = await this.#resolve(path)
    const caller = await this.#caller(request, params, app, meter)
    const segments = params.has('force') ? await this.#options.forced(app, caller, typed, params) : typed
    const call = {
      request,
      params,
      args: [] as string[],
      caller,
      app,
      segments,
      startedAt,
      now: this.#options.clock,
    }
    const reply = await this.#inApplication(call)
    if (isOpen(caller)) addHeader(reply, 'Entigrid-Notice', 'this application is open to everybody')
    return reply
  }

  async #caller(
    request: ApiRequest,
    params: Params,
    app: Application | null,
    meter: Meter | null,
  ): Promise<Caller> {
    const caller = await this.#options.authenticate(request, params, app)
    const admission = meter?.admitCaller(caller)
    if (admission !== undefined) await admission
    return caller
  }

  async #inApplication(call: AppCall): Promise<ApiReply> {
    const { match, other } = matchAppRoute(this.#options.appRoutes, call.request.method, call.segments)
    if (match !== null) return match.route.run({ ...call, args: match.args })
    if (other || call.segments.length === 0) throw notFound(other, call.request)
    return this.#options.collections(call)
  }

  /** The forms of an application's address: `/{org}/{app}`, `/orgs/{org}/apps/{app}`, `/apps/{uuid}`, `/{uuid}`. */
  async #resolve(path: readonly Segment[]): Promise<{ app: Application; segments: readonly Segment[] }> {
    const [first = '', second = '', third = '', fourth = ''] = path.slice(0, 4).map(({ text }) => text)
    const { resolve, resolveUuid } = this.#options
    if (ORGANIZATIONS.has(first.toLowerCase()) && APPLICATIONS.has(third.toLowerCase())) {
      return { app: await resolve(second, fourth), segments: path.slice(4) }
    }
    if (APPLICATIONS.has(first.toLowerCase()) && isUuid(second)) {
      return { app: await resolveUuid(second.toLowerCase()), segments: path.slice(2) }
    }
    if (second === '' && !isUuid(first)) throw new AppError('not_found', `There is nothing at /${first}`)
    try {
      return { app: await resolve(first, second), segments: path.slice(2) }
    } catch (error) {
      if (!isUuid(first) || !(error instanceof AppError)) throw error
      return { app: await resolveUuid(first.toLowerCase()), segments: path.slice(1) }
    }
  }
}

/** Guests of an application that allows them everything are told so. */
const isOpen = ({ principal, grants }: Caller): boolean =>
  principal.kind === 'guest' && grants?.put.everything === true

const longForm = (word: string): string => {
  const lower = word.toLowerCase()
  if (lower === 'organizations') return 'orgs'
  return lower === 'applications' ? 'apps' : word
}

const notFound = (other: boolean, { method, path }: ApiRequest): AppError =>
  other
    ? new AppError('not_allowed', `${method} is not offered at ${path}`)
    : new AppError('not_found', `There is nothing at ${path}`)
