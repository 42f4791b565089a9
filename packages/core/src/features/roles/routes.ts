import { permit } from '../../api/permit.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, type Route, route } from '../../api/route.js'
import { illegalArgument, resourceNotFound } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import type { Verb } from '../../domain/permission.js'
import { appEnvelope, refFor } from '../collections/index.js'
import { ASSIGNED_TO, HOLDERS, permissionStrings, type Roles } from './roles.js'

/**
 * `/{users|groups|roles}/{ref}/permissions`: reading, adding and removing permission strings.
 * `/{users|groups}/{ref}/rolenames`: the roles assigned, by name.
 */
export const permissionRoutes = (roles: Roles): Route<AppCall>[] => [
  ...HOLDERS.flatMap((collection) => [
    route(
      'GET',
      `${collection}/:ref/permissions`,
      (call: AppCall) => read(roles, collection, call),
      (call) => permitted(roles, 'get', collection, 'permissions', call),
    ),
    route(
      ['POST', 'PUT'],
      `${collection}/:ref/permissions`,
      (call: AppCall) => add(roles, collection, call),
      (call) => permitted(roles, writing(call), collection, 'permissions', call),
    ),
    route(
      'DELETE',
      `${collection}/:ref/permissions`,
      (call: AppCall) => remove(roles, collection, call),
      (call) => permitted(roles, 'delete', collection, 'permissions', call),
    ),
  ]),
  ...ASSIGNED_TO.flatMap((collection) => [
    route(
      'GET',
      `${collection}/:ref/rolenames`,
      (call: AppCall) => readNames(roles, collection, call),
      (call) => permitted(roles, 'get', collection, 'rolenames', call),
    ),
    route(['POST', 'PUT'], `${collection}/:ref/rolenames`, (call: AppCall) =>
      assign(roles, collection, call),
    ),
  ]),
]

const read = async (roles: Roles, collection: string, call: AppCall): Promise<ApiReply> => {
  const ref = await holderAt(roles, 'get', collection, 'permissions', call)
  return appEnvelope(call, { entities: [], data: await roles.permissions(call.app.id, collection, ref) })
}

const add = async (roles: Roles, collection: string, call: AppCall): Promise<ApiReply> => {
  const ref = await holderAt(roles, writing(call), collection, 'permissions', call)
  const { body } = call.request
  const strings = permissionStrings(isJsonObject(body) ? body['permission'] : undefined)
  const data = await roles.add(call.app.id, call.caller.label, collection, ref, strings)
  return appEnvelope(call, { entities: [], data })
}

/** What to remove is in the query, as Usergrid's clients send it, or in the body, as its reference says. */
const remove = async (roles: Roles, collection: string, call: AppCall): Promise<ApiReply> => {
  const ref = await holderAt(roles, 'delete', collection, 'permissions', call)
  const { body } = call.request
  const strings = permissionStrings(
    call.params.get('permission')?.slice() ?? (isJsonObject(body) ? body['permission'] : undefined),
  )
  const data = await roles.remove(call.app.id, call.caller.label, collection, ref, strings)
  return appEnvelope(call, { entities: [], data })
}

const readNames = async (roles: Roles, collection: string, call: AppCall): Promise<ApiReply> => {
  const ref = await holderAt(roles, 'get', collection, 'rolenames', call)
  const data = await roles.assigned(call.app.id, collection, ref)
  return appEnvelope(call, { entities: [], data: withoutHidden(call, data) })
}

/** Assigning takes a right on the role's own path as well, as it does in every other form. */
const assign = async (roles: Roles, collection: string, call: AppCall): Promise<ApiReply> => {
  const { app, caller, request } = call
  const verb = writing(call)
  const ref = await holderAt(roles, verb, collection, 'rolenames', call)
  const name = isJsonObject(request.body) ? request.body['name'] : undefined
  if (typeof name !== 'string' || name === '') throw illegalArgument('Name the role to assign', 'name')
  const [role, holder] = await Promise.all([
    roles.spellings(app.id, caller, 'roles', name),
    roles.spellings(app.id, caller, collection, ref),
  ])
  permit(caller, app, { verb, path: [['roles'], role, [collection], holder] })
  await mustBeKnown(roles, 'roles', name, call)
  const data = await roles.assign(app.id, caller.label, collection, ref, name)
  return appEnvelope(call, { entities: [], data: withoutHidden(call, data) })
}

/** Roles by name, as the caller sees them. */
const withoutHidden = ({ caller }: AppCall, roles: JsonObject): JsonObject => {
  const hidden = caller.hidden?.get('roles')
  if (hidden === undefined) return roles
  return Object.fromEntries(
    Object.entries(roles).map(([name, role]) => [name, hidden.without(role as JsonObject)]),
  )
}

const writing = ({ request }: AppCall): Verb => (request.method === 'PUT' ? 'put' : 'post')

/** The reference of the path, once the caller is known to have the right. */
const permitted = async (
  roles: Roles,
  verb: Verb,
  collection: string,
  word: string,
  { app, caller, args }: AppCall,
): Promise<string> => {
  const [given = ''] = args
  const isForeign = caller.principal.kind !== 'user' || caller.self === null
  const ref = isForeign ? given : refFor(collection, given, caller)
  const path = [[collection], await roles.spellings(app.id, caller, collection, ref), [word]]
  permit(caller, app, { verb, path })
  return refFor(collection, ref, caller)
}

/** The same, of what the caller may know by that reference. @throws {AppError} `service_resource_not_found` */
const holderAt = async (
  roles: Roles,
  verb: Verb,
  collection: string,
  word: string,
  call: AppCall,
): Promise<string> => {
  const ref = await permitted(roles, verb, collection, word, call)
  await mustBeKnown(roles, collection, ref, call)
  return ref
}

const mustBeKnown = async (
  roles: Roles,
  collection: string,
  ref: string,
  { app, caller }: AppCall,
): Promise<void> => {
  const isHiding = caller.hidden?.has(collection) === true
  if (isHiding && (await roles.known(app.id, caller, collection, ref)) === null) throw resourceNotFound()
}
