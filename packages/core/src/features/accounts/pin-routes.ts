import { networkIn } from '../../api/network.js'
import { permit } from '../../api/permit.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, fieldsOf, type Route, route } from '../../api/route.js'
import { isMailAddress } from '../../domain/account-names.js'
import { unauthorized } from '../../domain/errors.js'
import type { Verb } from '../../domain/permission.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Tokens } from '../auth/index.js'
import { appEnvelope, refFor } from '../collections/index.js'
import { ownOrAdmins, type Pins } from '../users/index.js'
import type { AccountMails } from './account-mails.js'
import { appPin } from './letters.js'
import type { MailQuota } from './mail-quota.js'
import type { Realm } from './types.js'

export interface PinDoors {
  engine: Engine
  pins: Pins
  mails: AccountMails
  quota: MailQuota
  realmOf: (call: AppCall) => Realm
  tokens: Pick<Tokens, 'stillGood'>
}

/** `users/{user}/setpin` and `sendpin`: pins, with which a user signs in by `grant_type=pin`. */
export const pinRoutes = (doors: PinDoors): Route<AppCall>[] => [
  route(['GET', 'POST', 'PUT'], 'users/:user/setpin', async (call: AppCall) => {
    const user = await ownOrAdmins(doors, call)
    const isStill = await stillGood(doors, call, user)
    const store = await doors.pins.secure(fieldsOf(call)['pin'])
    await doors.engine.transact(user.app, call.caller.label, (edits) => {
      const current = edits.get('users', user.uuid)
      // Hashing takes a while: what the caller showed may be over by now, and a pin would let him in again.
      if (!isStill(edits, current)) throw unauthorized()
      store(edits, current)
    })
    return appEnvelope(call, { action: 'set user pin' })
  }),
  route(['GET', 'POST', 'PUT'], 'users/:user/sendpin', (call: AppCall) => send(doors, call), maySend),
]

/** Whether the user's own token, if it is his, was not revoked meanwhile. */
const stillGood = async (
  { tokens }: PinDoors,
  { caller: { principal, self, token } }: AppCall,
  { uuid }: StoredEntity,
): ReturnType<Tokens['stillGood']> =>
  principal.kind === 'user' && self?.uuid === uuid && token !== undefined
    ? tokens.stillGood(token)
    : () => true

const VERBS: Readonly<Record<string, Verb>> = { GET: 'get', POST: 'post', PUT: 'put' }

/** The user that the path names, for whoever may send him a pin, as a permission string says. */
const maySend = ({ app, args, caller, request }: AppCall): string => {
  const ref = refFor('users', args[0]!, caller)
  const spellings = ref === caller.self?.uuid ? [ref, caller.self.username, 'me'] : [ref]
  permit(caller, app, { verb: VERBS[request.method]!, path: [['users'], spellings, ['sendpin']] })
  return ref
}

/** Tells nobody whether there is such a user. */
const send = async (doors: PinDoors, call: AppCall): Promise<ApiReply> => {
  const { app, caller, request } = call
  const ref = maySend(call)
  await doors.quota.ask(networkIn(request))
  const realm = doors.realmOf(call)
  doors.mails.later('sendpin', async () => {
    const user = await doors.engine.find(app.id, 'users', ref)
    if (user === null || !isMailAddress(user.object['email']) || user.object['activated'] !== true) return
    if (!(await doors.quota.mayMail(user.uuid, 'sendpin'))) return
    const { pin, store } = await doors.pins.make()
    const isStored = await doors.engine.transact(app.id, caller.label, (edits) => {
      const current = edits.get('users', user.uuid)
      // Hashing takes a while: it must not be good for who has another address by now.
      if (current.object['email'] !== user.object['email']) return false
      store(edits, current)
      return true
    })
    if (!isStored) return
    doors.mails.send(await realm.receivers(user), appPin(realm, pin))
  })
  return appEnvelope(call, { action: 'retrieve user pin' })
}
