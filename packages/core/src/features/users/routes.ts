import { isAppAdmin } from '../../api/caller.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, type Route, route } from '../../api/route.js'
import { illegalArgument, resourceNotFound, unauthorized } from '../../domain/errors.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Tokens } from '../auth/index.js'
import { appEnvelope } from '../collections/index.js'
import type { Passwords } from './passwords.js'

export interface UserDoors {
  engine: Engine
  passwords: Passwords
  tokens: Tokens
  /** Called when tokens or the state of a user changed. */
  changed: (app: number) => void
}

/** Commands on app users: changing a password, revoking tokens. */
export const userRoutes = (doors: UserDoors): Route<AppCall>[] => [
  route(['PUT', 'POST'], 'users/:user/password', (call: AppCall) => changePassword(doors, call)),
  route(['PUT', 'POST'], 'users/:user/revoketokens', async (call: AppCall) => {
    const user = await ownOrAdmins(doors, call)
    await doors.tokens.revokeAll(call.caller.label, user)
    return appEnvelope(call, { action: 'revoked user tokens' })
  }),
  route(['PUT', 'POST'], 'users/:user/revoketoken', async (call: AppCall) => {
    const user = await ownOrAdmins(doors, call)
    const token = call.params.get('token')?.[0]
    if (token === undefined || token === '') throw illegalArgument('token is required', 'token')
    await doors.tokens.revoke(call.caller.label, user, token)
    return appEnvelope(call, { action: 'revoked user token' })
  }),
]

const changePassword = async (doors: UserDoors, call: AppCall): Promise<ApiReply> => {
  const { app, caller, request } = call
  const { body } = request
  const fields = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {}
  const { oldpassword: old, newpassword } = fields
  if (typeof newpassword !== 'string') throw illegalArgument('newpassword is required', 'newpassword')
  const isAdmin = isAppAdmin(caller, app)
  if (!isAdmin && typeof old !== 'string')
    throw illegalArgument('oldpassword and newpassword are both required', 'oldpassword')
  const user = await userOf(doors, call)
  const oldPassword = isAdmin && typeof old !== 'string' ? null : String(old)
  await doors.passwords.change(doors.engine, caller.label, user, { oldPassword, newPassword: newpassword })
  doors.changed(app.id)
  return appEnvelope(call, { action: 'set user password' })
}

const userOf = async ({ engine }: UserDoors, { app, args, caller }: AppCall): Promise<StoredEntity> => {
  const [ref = ''] = args
  const uuid = ref.toLowerCase() === 'me' && caller.principal.kind === 'user' ? caller.principal.uuid : ref
  const user = await engine.find(app.id, 'users', uuid)
  if (user === null) throw resourceNotFound()
  return user
}

/** The caller himself, or anybody for an administrator of the application. */
const ownOrAdmins = async (doors: UserDoors, call: AppCall): Promise<StoredEntity> => {
  const { app, caller } = call
  if (caller.principal.kind === 'guest') throw unauthorized()
  const user = await userOf(doors, call)
  if (!isAppAdmin(caller, app) && user.uuid !== caller.self?.uuid) throw unauthorized()
  return user
}
