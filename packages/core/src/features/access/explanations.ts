import { type Application, type Caller, isAppAdmin } from '../../api/caller.js'
import { GUEST, type Principal } from '../../api/principal.js'
import { type AppCall, matchAppRoute, type Route } from '../../api/route.js'
import { param, type Segment } from '../../api/url.js'
import { AppError, illegalArgument, unauthorized } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import {
  type Asked,
  type AskedMethod,
  type Collections,
  hear,
  readAskedPath,
  readMethod,
  refFor,
} from '../collections/index.js'
import type { GrantsSource } from '../roles/index.js'
import { explained } from './explained.js'

export interface ExplanationsOptions {
  engine: Engine
  collections: Collections
  grants: GrantsSource
  callerFor: (principal: Principal, app: Application) => Promise<Caller>
  /** The endpoints that are no collection's. */
  routes: readonly Route<AppCall>[]
}

/** Whom a question is about. */
interface Subject {
  user: JsonObject
  /** `null` where he is refused whatever he asks for, as a disabled user is. */
  caller: Caller | null
  refusal: AppError | null
}

/** Says whether somebody's request would be allowed, by asking the gate all that the request would ask it. */
export class Explanations {
  readonly #options: ExplanationsOptions

  constructor(options: ExplanationsOptions) {
    this.#options = options
  }

  /**
   * Administrators of the application ask about any user, and about guests; everybody else about himself. He is told
   * of the right to the path as he wrote it alone: what it leads to may be none of his business.
   * @throws {AppError} `unauthorized`, `illegal_argument`, `not_found`, `not_allowed` for what nobody can request, and
   * `service_resource_not_found` or `entity_not_found` for an unknown user.
   */
  async explain(call: AppCall): Promise<JsonObject> {
    const { app, caller, params } = call
    const isAdmin = isAppAdmin(caller, app)
    const ref = param(params, 'user')
    if (!isAdmin && (ref !== undefined || !isKnown(caller))) throw unauthorized()
    const method = readMethod(param(params, 'method'))
    const path = param(params, 'path')
    const segments = readAskedPath(path, this.#options.engine.limits)
    const subject = await this.#subject(app, caller, ref)
    const { rights, refusal } = await this.#asked(call, subject, method, segments)
    return {
      allowed: refusal === null,
      user: subject.user,
      method,
      path: path!,
      // What the request is answered.
      ...(refusal === null ? {} : { status: refusal.status, reason: refusal.message }),
      rights: await this.#rights(app, subject, segments, isAdmin ? rights : rights.slice(0, 1), isAdmin),
    }
  }

  async #subject(app: Application, caller: Caller, ref: string | undefined): Promise<Subject> {
    const { engine, callerFor } = this.#options
    if (ref === undefined) return { user: shown(caller, app), caller, refusal: null }
    if (ref.toLowerCase() === 'guest')
      return { user: { kind: 'guest' }, caller: await callerFor(GUEST, app), refusal: null }
    const { uuid, object } = await engine.get(app.id, 'users', refFor('users', ref, caller))
    const username = String(object['username'])
    const user = { kind: 'user', uuid, username }
    try {
      const about = await callerFor({ kind: 'user', app: app.uuid, uuid, username }, app)
      return { user, caller: about, refusal: null }
    } catch (error) {
      if (error instanceof AppError && error.status === 401) return { user, caller: null, refusal: error }
      throw error
    }
  }

  async #asked(
    call: AppCall,
    { caller, refusal }: Subject,
    method: AskedMethod,
    segments: readonly Segment[],
  ): Promise<Asked> {
    const { collections, routes } = this.#options
    const { match, other } = matchAppRoute(routes, method, segments)
    if (other) throw new AppError('not_allowed', `${method} is not offered there`)
    if (match !== null && match.route.asks === undefined)
      throw illegalArgument('No permission string decides about this path alone', 'path')
    if (caller === null) return { rights: [], refusal }
    if (match === null)
      return collections.ask(call.app, caller, method, segments, { all: isAppAdmin(call.caller, call.app) })
    const request = { ...call.request, method, body: undefined }
    const asked = { ...call, request, params: new Map(), args: match.args, segments }
    return hear(caller, (heard) => match.route.asks?.({ ...asked, caller: heard }))
  }

  async #rights(
    app: Application,
    { caller }: Subject,
    segments: readonly Segment[],
    rights: Asked['rights'],
    all: boolean,
  ): Promise<JsonObject[]> {
    if (caller === null || rights.length === 0) return []
    const uuid = caller.principal.kind === 'user' ? caller.principal.uuid : null
    const held = await this.#options.grants.held(app.id, uuid)
    const typed = segments.map(({ text }) => text.toLowerCase())
    return rights.map((right) => explained(right, { app, caller, held, typed, all }))
  }
}

const isKnown = ({ principal, self }: Caller): boolean =>
  principal.kind === 'guest' || (principal.kind === 'user' && self !== null)

const shown = (caller: Caller, app: Application): JsonObject => {
  if (isAppAdmin(caller, app)) return { kind: 'administrator' }
  const { self } = caller
  return self === null ? { kind: 'guest' } : { kind: 'user', uuid: self.uuid, username: self.username }
}
