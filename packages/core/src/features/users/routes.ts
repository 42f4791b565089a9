import { isAppAdmin } from '../../api/caller.js'
import { RawJson } from '../../api/envelope.js'
import { networkIn } from '../../api/network.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, fieldsOf, type Route, route } from '../../api/route.js'
import { illegalArgument, resourceNotFound, unauthorized } from '../../domain/errors.js'
import { isJsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { SignIn, Tokens } from '../auth/index.js'
import { appEnvelope, type Renderer, refFor, seen } from '../collections/index.js'
import type { Passwords } from './passwords.js'

export interface UserDoors {
  engine: Engine
  passwords: Passwords
  tokens: Tokens
  /** Checks a password, as at signing in. @throws {AppError} `too_many_requests` */
  verify: (signIn: SignIn) => Promise<boolean>
  renderer: Renderer
  /** Called when tokens or the state of a user changed. */
  changed: (app: number) => void
}

/** Commands on app users: changing a password, revoking tokens, switching a user off. */
export const userRoutes = (doors: UserDoors): Route<AppCall>[] => [
  route(['PUT', 'POST'], 'users/:user/password', (call: AppCall) => changePassword(doors, call)),
  route(['PUT', 'POST'], 'users/:user/revoketokens', async (call: AppCall) => {
    const user = await ownOrAdmins(doors, call)
    await doors.tokens.revokeAll(call.caller.label, user)
    return appEnvelope(call, { action: 'revoked user tokens' })
  }),
  route(['PUT', 'POST'], 'users/:user/revoketoken', async (call: AppCall) => {
    const user = await ownOrAdmins(doors, call)
    // In the body it stays out of the logs that addresses end up in.
    const { token } = fieldsOf(call)
    if (typeof token !== 'string' || token === '') throw illegalArgument('token is required', 'token')
    await doors.tokens.revoke(call.caller.label, user, token)
    return appEnvelope(call, { action: 'revoked user token' })
  }),
  route('POST', 'users/:user/deactivate', (call: AppCall) => deactivate(doors, call)),
]

const changePassword = async (doors: UserDoors, call: AppCall): Promise<ApiReply> => {
  const { app, caller, request } = call
  const fields = isJsonObject(request.body) ? request.body : {}
  const { oldpassword: old = fields['password'], newpassword } = fields
  if (typeof newpassword !== 'string') throw illegalArgument('newpassword is required', 'newpassword')
  const isAdmin = isAppAdmin(caller, app)
  if (!isAdmin && typeof old !== 'string')
    throw illegalArgument('oldpassword and newpassword are both required', 'oldpassword')
  const user = await userOf(doors, call)
  // Who may not know whether there is such a user gets the answer to a wrong password.
  if (user === null && isAdmin) throw resourceNotFound()
  const isOwn = user !== null && isSelf(call, user) && caller.token !== undefined
  const change = await doors.passwords.changing(doors.engine, user, {
    oldPassword: isAdmin && typeof old !== 'string' ? null : String(old),
    newPassword: newpassword,
    verify: (password) =>
      doors.verify({ app: app.id, ref: call.args[0]!, user, password, network: networkIn(request) }),
    kept: isOwn ? await doors.tokens.claims(caller.token!) : null,
  })
  await doors.engine.transact(app.id, caller.label, change)
  doors.changed(app.id)
  return appEnvelope(call, { action: 'set user password' })
}

/** The user stays, with his data, but cannot sign in; his tokens end at once. */
const deactivate = async (doors: UserDoors, call: AppCall): Promise<ApiReply> => {
  const { app, caller } = call
  const user = await ownOrAdmins(doors, call)
  const deactivated = await doors.engine.transact(app.id, caller.label, (edits) => {
    doors.tokens.revokeAllWithin(edits, user)
    return edits.update(edits.get('users', user.uuid), { activated: false, deactivated: edits.now })
  })
  const shown = new RawJson(`[${doors.renderer.entity(seen(caller, deactivated), { base: '/users' })}]`)
  return appEnvelope(call, { action: 'Deactivate user', path: '/users', entities: shown })
}

const userOf = async (
  { engine }: Pick<UserDoors, 'engine'>,
  { app, args, caller }: AppCall,
): Promise<StoredEntity | null> => {
  const [ref = ''] = args
  const isNobody = ref.toLowerCase() === 'me' && (caller.principal.kind !== 'user' || caller.self === null)
  return isNobody ? null : engine.find(app.id, 'users', refFor('users', ref, caller))
}

/** The caller himself, or anybody for an administrator of the application. Nobody else learns who is there. */
export const ownOrAdmins = async (doors: Pick<UserDoors, 'engine'>, call: AppCall): Promise<StoredEntity> => {
  const user = await userOf(doors, call)
  const isAdmin = isAppAdmin(call.caller, call.app)
  if (user !== null && (isAdmin || isSelf(call, user))) return user
  throw isAdmin ? resourceNotFound() : unauthorized()
}

const isSelf = ({ caller: { principal, self } }: AppCall, user: StoredEntity): boolean =>
  principal.kind === 'user' && self?.uuid === user.uuid
