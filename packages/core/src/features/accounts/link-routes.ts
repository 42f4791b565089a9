import { networkIn } from '../../api/network.js'
import { pageReply, redirectReply } from '../../api/page.js'
import type { ApiReply } from '../../api/request.js'
import { type Call, fieldsOf, type Route, route } from '../../api/route.js'
import type { Accounts } from './accounts.js'
import { buttonPage, outcomePage } from './pages.js'
import type { Realm } from './types.js'

export interface LinkDoors<C extends Call> {
  accounts: Accounts
  realmOf: (call: C) => Realm
  /** A reply that says only what was asked for. */
  reply: (call: C, action: string) => ApiReply
  /** Whether opening a link is enough, as in Usergrid; else its page has a button. */
  isFollowedByGet: boolean
}

const PURPOSES = ['confirm', 'activate'] as const
type Purpose = (typeof PURPOSES)[number]

/** Where links of mails lead, and how to get the mail again: `users/{uuid}/confirm?token=...`. */
export const linkRoutes = <C extends Call>(
  { accounts, realmOf, reply, isFollowedByGet }: LinkDoors<C>,
  { path, noun, guard }: { path: string; noun: string; guard?: (call: C) => Promise<unknown> },
): Route<C>[] => [
  ...PURPOSES.flatMap((purpose) => [
    route('GET', `${path}/${purpose}`, (call: C) =>
      (isFollowedByGet ? follow : ask)(accounts, call, realmOf(call), purpose),
    ),
    route('POST', `${path}/${purpose}`, (call: C) => follow(accounts, call, realmOf(call), purpose)),
  ]),
  route(['GET', 'POST'], `${path}/reactivate`, async (call: C) => {
    await guard?.(call)
    await accounts.resend(realmOf(call), call.args[0]!, networkIn(call.request))
    return reply(call, `reactivate ${noun}`)
  }),
]

/** Programs open the links of mails before their readers do, and must not confirm what somebody else has signed up for. */
const ask = async (accounts: Accounts, call: Call, realm: Realm, purpose: Purpose): Promise<ApiReply> => {
  const { token } = fieldsOf(call)
  const isGood = await accounts.isGood(realm, call.args[0]!, token, purpose)
  return pageReply(isGood ? buttonPage(realm, purpose, String(token)) : outcomePage(realm, 'invalid'))
}

const follow = async (accounts: Accounts, call: Call, realm: Realm, purpose: Purpose): Promise<ApiReply> => {
  const ref = call.args[0]!
  const outcome = await accounts[purpose](realm, ref, fieldsOf(call)['token'], call.caller.label)
  const view = outcome === 'invalid' ? null : await realm.view(ref, purpose)
  return view === null ? pageReply(outcomePage(realm, outcome)) : redirectReply(view)
}
