import { isAppAdmin } from '../../api/caller.js'
import { permit } from '../../api/permit.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, type Route, route } from '../../api/route.js'
import { resourceNotFound } from '../../domain/errors.js'
import { collectionName } from '../../domain/names.js'
import type { Verb } from '../../domain/permission.js'
import { appEnvelope } from '../collections/index.js'
import { HOLDERS, permissionStrings, type Roles } from './roles.js'

/** `/{users|groups|roles}/{ref}/permissions`: reading, adding and removing permission strings. */
export const permissionRoutes = (roles: Roles): Route<AppCall>[] =>
  HOLDERS.flatMap((collection) => [
    route('GET', `${collection}/:ref/permissions`, (call: AppCall) => read(roles, collection, call)),
    route(['POST', 'PUT'], `${collection}/:ref/permissions`, (call: AppCall) => add(roles, collection, call)),
    route('DELETE', `${collection}/:ref/permissions`, (call: AppCall) => remove(roles, collection, call)),
    ...singular(roles, collection),
  ])

/** The singular collection name works too. */
const singular = (roles: Roles, collection: string): Route<AppCall>[] => {
  const word = collection.slice(0, -1)
  return [
    route('GET', `${word}/:ref/permissions`, (call: AppCall) => read(roles, collection, call)),
    route(['POST', 'PUT'], `${word}/:ref/permissions`, (call: AppCall) => add(roles, collection, call)),
    route('DELETE', `${word}/:ref/permissions`, (call: AppCall) => remove(roles, collection, call)),
  ]
}

const read = async (roles: Roles, collection: string, call: AppCall): Promise<ApiReply> => {
  const ref = permitted('get', collection, call)
  return appEnvelope(call, { entities: [], data: await roles.permissions(call.app.id, collection, ref) })
}

const add = async (roles: Roles, collection: string, call: AppCall): Promise<ApiReply> => {
  const ref = permitted(call.request.method === 'PUT' ? 'put' : 'post', collection, call)
  const body = call.request.body
  const value =
    typeof body === 'object' && body !== null && !Array.isArray(body) ? body['permission'] : undefined
  const data = await roles.add(call.app.id, call.caller.label, collection, ref, permissionStrings(value))
  return appEnvelope(call, { entities: [], data })
}

const remove = async (roles: Roles, collection: string, call: AppCall): Promise<ApiReply> => {
  const ref = permitted('delete', collection, call)
  const given = call.params.get('permission')
  const permissions = permissionStrings(given === undefined ? undefined : [...given])
  const data = await roles.remove(call.app.id, call.caller.label, collection, ref, permissions)
  return appEnvelope(call, { entities: [], data })
}

const permitted = (verb: Verb, collection: string, { app, caller, args }: AppCall): string => {
  const [given = ''] = args
  const isMe = collection === 'users' && given.toLowerCase() === 'me'
  if (isMe && caller.principal.kind !== 'user') throw resourceNotFound()
  const ref = isMe ? caller.self!.uuid : given
  if (!isAppAdmin(caller, app))
    permit(caller, app, {
      verb,
      path: [[collectionName(collection)], [...new Set([given, ref])], ['permissions']],
    })
  return ref
}
