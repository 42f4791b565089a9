import { networkIn } from '../../api/network.js'
import { permit } from '../../api/permit.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, fieldsOf, type Route, route } from '../../api/route.js'
import { isMailAddress } from '../../domain/account-names.js'
import type { Verb } from '../../domain/permission.js'
import type { Engine } from '../../engine/engine.js'
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
}

/** `users/{user}/setpin` and `sendpin`: pins, with which a user signs in by `grant_type=pin`. */
export const pinRoutes = (doors: PinDoors): Route<AppCall>[] => [
  route(['GET', 'POST', 'PUT'], 'users/:user/setpin', async (call: AppCall) => {
    const user = await ownOrAdmins(doors, call)
    const store = await doors.pins.secure(fieldsOf(call)['pin'])
    await doors.engine.transact(user.app, call.caller.label, (edits) =>
      store(edits, edits.get('users', user.uuid)),
    )
    return appEnvelope(call, { action: 'set user pin' })
  }),
  route(['GET', 'POST', 'PUT'], 'users/:user/sendpin', (call: AppCall) => send(doors, call), maySend),
]

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
    if (!(await doors.quota.mayMail(user.uuid))) return
    const { pin, store } = await doors.pins.make()
    await doors.engine.transact(app.id, caller.label, (edits) => store(edits, edits.get('users', user.uuid)))
    doors.mails.send(await realm.receivers(user), appPin(realm, pin))
  })
  return appEnvelope(call, { action: 'retrieve user pin' })
}
