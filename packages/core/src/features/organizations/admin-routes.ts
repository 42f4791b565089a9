import type { Caller } from '../../api/caller.js'
import type { EnvelopeValue } from '../../api/envelope.js'
import { networkIn } from '../../api/network.js'
import { withSecret } from '../../api/reply.js'
import type { ApiReply } from '../../api/request.js'
import { type Call, fieldsOf, type Route, route } from '../../api/route.js'
import { param } from '../../api/url.js'
import { illegalArgument, unauthorized } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import { readLimit } from '../../domain/page.js'
import type { Edits } from '../../engine/edits.js'
import { asObject } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { SignIn, Tokens } from '../auth/index.js'
import type { Passwords } from '../users/index.js'
import {
  findAdmin,
  isSelf,
  isSysadmin,
  noAdminAccess,
  type OrganizationDoors,
  ownAdmin,
  registrationOf,
  unknownAdmin,
} from './access.js'
import { type AdminChanges, type Administrators, newAccount } from './administrators.js'
import { ownProperties, text } from './fields.js'
import { managed } from './managed.js'
import { wholeOrganization } from './routes.js'
import { showAdmin, showOrganization } from './show.js'
import { MANAGEMENT } from './types.js'

export interface AdminDoors extends OrganizationDoors {
  administrators: Administrators
  passwords: Passwords
  tokens: Tokens
  /** Checks a password, as at signing in. @throws {AppError} `too_many_requests` */
  verify: (signIn: SignIn) => Promise<boolean>
}

/** `/management/users`: the accounts of administrators, each for himself and for system administrators. */
export const adminRoutes = (doors: AdminDoors): Route<Call>[] => [
  route('GET', 'users', (call: Call) => list(doors, call)),
  route('POST', 'users', async (call: Call) => {
    const { label } = call.caller
    const registration = registrationOf(doors, call.caller)
    const admin = await doors.administrators.create(label, newAccount(fieldsOf(call)), registration)
    return managed(call, { action: 'create user', data: { user: showAdmin(admin) } })
  }),
  route('GET', 'users/:user', (call: Call) => read(doors, call)),
  route('PUT', 'users/:user', (call: Call) => update(doors, call)),
  route(['PUT', 'POST'], 'users/:user/password', (call: Call) => changePassword(doors, call)),
  route(['PUT', 'POST'], 'users/:user/revoketokens', async (call: Call) => {
    await doors.tokens.revokeAll(call.caller.label, await ownAdmin(doors.engine, call))
    return managed(call, { action: 'revoked user tokens' })
  }),
  route(['PUT', 'POST'], 'users/:user/revoketoken', async (call: Call) => {
    const admin = await ownAdmin(doors.engine, call)
    const { token } = fieldsOf(call)
    if (typeof token !== 'string' || token === '') throw illegalArgument('token is required', 'token')
    await doors.tokens.revoke(call.caller.label, admin, token)
    // The plural is Usergrid's.
    return managed(call, { action: 'revoked user tokens' })
  }),
]

const list = async ({ administrators, engine }: AdminDoors, call: Call): Promise<ApiReply> => {
  if (!isSysadmin(call.caller)) throw unauthorized('No system access authorized')
  const limit = readLimit(param(call.params, 'limit'), 10, engine.limits.pageSize)
  const { items, cursor } = await administrators.list(limit, param(call.params, 'cursor') ?? null)
  const data = items.map(showAdmin)
  return managed(call, { action: 'get admin users', data, count: data.length, cursor: cursor ?? undefined })
}

const read = async (doors: AdminDoors, call: Call): Promise<ApiReply> => {
  const admin = await ownAdmin(doors.engine, call)
  const isShallow = param(call.params, 'shallow') === 'true'
  const organizations = await Promise.all(
    (await doors.organizations.members.organizationsOf(admin)).map(async (organization) => [
      String(organization.object['name']),
      isShallow ? showOrganization(organization) : await wholeOrganization(doors.organizations, organization),
    ]),
  )
  // Usergrid's client for browsers goes on with the token that it finds here.
  const token = isSelf(call.caller, admin) ? call.caller.token : undefined
  const data: EnvelopeValue = {
    ...showAdmin(admin),
    ...(token === undefined ? {} : { token }),
    organizations: Object.fromEntries(organizations),
  }
  return withSecret(managed(call, { action: 'get admin user', status: 'ok', data }))
}

const update = async (doors: AdminDoors, call: Call): Promise<ApiReply> => {
  const admin = await ownAdmin(doors.engine, call)
  // Never from the query, which may have the caller's token.
  const body = asObject(call.request.body ?? {})
  const changes = readChanges(body, call.caller)
  const setPassword =
    body['newpassword'] === undefined ? null : await changingPassword(doors, call, admin, body)
  const updated = await doors.administrators.update(call.caller.label, admin, changes, setPassword)
  return managed(call, { action: 'update user info', data: showAdmin(updated) })
}

const changePassword = async (doors: AdminDoors, call: Call): Promise<ApiReply> => {
  const [ref = ''] = call.args
  const { caller } = call
  const admin = await findAdmin(doors.engine, caller, ref)
  if (admin === null && isSysadmin(caller)) throw unknownAdmin(ref)
  if (admin === null && ref.toLowerCase() === 'me') throw noAdminAccess()
  const setPassword = await changingPassword(doors, call, admin, asObject(call.request.body ?? {}))
  await doors.administrators.transact(caller.label, setPassword)
  return managed(call, { action: 'set user password' })
}

/** Whoever knows the old password may change it; to strangers an unknown account looks like a wrong password. */
const changingPassword = async (
  { engine, passwords, tokens, verify }: AdminDoors,
  { args, caller, request }: Call,
  admin: StoredEntity | null,
  { password: alias, oldpassword: old = alias, newpassword }: JsonObject,
): Promise<(edits: Edits) => void> => {
  const isFree = isSysadmin(caller) && typeof old !== 'string'
  if (typeof newpassword !== 'string' || newpassword === '')
    throw illegalArgument('newpassword is required', 'newpassword')
  if (!isFree && typeof old !== 'string')
    throw illegalArgument('oldpassword and newpassword are both required', 'oldpassword')
  const isOwn = admin !== null && isSelf(caller, admin) && caller.token !== undefined
  return passwords.changing(engine, admin, {
    oldPassword: isFree ? null : String(old),
    newPassword: newpassword,
    verify: (password) =>
      verify({ app: MANAGEMENT.id, ref: args[0]!, user: admin, password, network: networkIn(request) }),
    kept: isOwn ? await tokens.claims(caller.token!) : null,
  })
}

/** Decided by system administrators; from the administrator himself they are ignored. */
const STATE = ['activated', 'confirmed', 'disabled'] as const
/** What a reply shows of an administrator beside his own properties. */
const SHOWN = new Set([
  ...STATE,
  'applicationId',
  'uuid',
  'username',
  'name',
  'email',
  'adminUser',
  'displayEmailAddress',
  'htmldisplayEmailAddress',
  'organizations',
  'properties',
])

const readChanges = (body: JsonObject, caller: Caller): AdminChanges => {
  const { username, email, name, properties } = body
  if (name !== undefined && name !== null && typeof name !== 'string')
    throw illegalArgument('The name must be a string', 'name')
  const state = isSysadmin(caller) ? STATE.filter((key) => body[key] !== undefined) : []
  return {
    ...(username === undefined ? {} : { username: text(username, 'username') }),
    ...(email === undefined ? {} : { email: text(email, 'email') }),
    ...(name === undefined ? {} : { name }),
    ...Object.fromEntries(state.map((key) => [key, body[key]])),
    properties: {
      ...(isJsonObject(properties) ? ownProperties(properties as JsonObject, new Set()) : {}),
      ...ownProperties(body, SHOWN),
    },
  }
}
