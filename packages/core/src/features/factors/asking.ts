import { type Application, isAppAdmin } from '../../api/caller.js'
import type { AppCall, Call } from '../../api/route.js'
import { resourceNotFound, unauthorized } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { TokenApplication } from '../auth/index.js'
import { refFor } from '../collections/index.js'
import type { Person } from './person.js'
import type { SecondSteps } from './second-steps.js'
import type { Ticket } from './tickets.js'

/** Whom a path means, and what the caller is to him: he himself, or somebody who may help him. */
export interface Asking extends Person {
  isSelf: boolean
  /** What the caller sets up a first factor with, in place of a token. */
  ticket: Ticket | null
}

export interface AskingDoors {
  engine: Engine
  steps: SecondSteps
  properties: (app: Application) => Promise<JsonObject>
  /** An administrator by path, for himself and system administrators. @throws {AppError} `unauthorized` */
  administrator: (call: Call) => Promise<StoredEntity>
  /** Number of the application that keeps administrators. */
  management: number
}

/** @throws {AppError} `unauthorized`; `service_resource_not_found`, for administrators of the application alone. */
export const askingUser = async (doors: AskingDoors, call: AppCall): Promise<Asking> => {
  const { app: application, caller, args } = call
  const app = await tokenApplication(doors, application)
  const enrolling = await askingByTicket(doors, call, app)
  if (enrolling !== null) return enrolling
  const [ref = ''] = args
  const self = caller.principal.kind === 'user' ? caller.self : null
  const isNobody = ref.toLowerCase() === 'me' && self === null
  const user = isNobody
    ? null
    : await doors.engine.find(application.id, 'users', refFor('users', ref, caller))
  if (user !== null && self?.uuid === user.uuid) return { user, app, isSelf: true, ticket: null }
  if (!isAppAdmin(caller, application)) throw unauthorized()
  if (user === null) throw resourceNotFound()
  return { user, app, isSelf: false, ticket: null }
}

/** @throws {AppError} `unauthorized`; `management`, for system administrators alone. */
export const askingAdmin = async (doors: AskingDoors, call: Call): Promise<Asking> => {
  const enrolling = await askingByTicket(doors, call, null)
  if (enrolling !== null) return enrolling
  const user = await doors.administrator(call)
  return { user, app: null, isSelf: call.caller.self?.uuid === user.uuid, ticket: null }
}

export const tokenApplication = async (
  { properties }: AskingDoors,
  application: Application,
): Promise<TokenApplication> => ({ application, properties: await properties(application) })

/** Somebody who must set up a factor before he may sign in; he names himself by `me`, or as always. */
const askingByTicket = async (
  { steps, management }: AskingDoors,
  { caller, args }: Call,
  app: TokenApplication | null,
): Promise<Asking | null> => {
  const found = await steps.enrolling(caller.token, app === null ? management : app.application.id)
  if (found === null) return null
  const { ticket, user } = found
  const [ref = ''] = args
  const names = ['me', user.uuid, user.object['username'], user.object['email']]
  if (!names.some((name) => typeof name === 'string' && name.toLowerCase() === ref.toLowerCase()))
    throw unauthorized()
  return { user, app, isSelf: true, ticket }
}
