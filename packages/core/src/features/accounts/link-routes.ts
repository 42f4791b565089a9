import { networkIn } from '../../api/network.js'
import { pageReply, redirectReply } from '../../api/page.js'
import type { ApiReply } from '../../api/request.js'
import { type Call, type Route, route } from '../../api/route.js'
import { param } from '../../api/url.js'
import type { Accounts } from './accounts.js'
import { outcomePage } from './pages.js'
import type { Realm } from './types.js'

export interface LinkDoors<C extends Call> {
  accounts: Accounts
  realmOf: (call: C) => Realm
  /** A reply that says only what was asked for. */
  reply: (call: C, action: string) => ApiReply
}

/** Where links of mails lead, and how to get the mail again: `users/{uuid}/confirm?token=...`. */
export const linkRoutes = <C extends Call>(
  { accounts, realmOf, reply }: LinkDoors<C>,
  { path, noun, guard }: { path: string; noun: string; guard?: (call: C) => Promise<unknown> },
): Route<C>[] => [
  route('GET', `${path}/confirm`, (call: C) => follow(accounts, call, realmOf(call), 'confirm')),
  route('GET', `${path}/activate`, (call: C) => follow(accounts, call, realmOf(call), 'activate')),
  route(['GET', 'POST'], `${path}/reactivate`, async (call: C) => {
    await guard?.(call)
    await accounts.resend(realmOf(call), call.args[0]!, networkIn(call.request))
    return reply(call, `reactivate ${noun}`)
  }),
]

const follow = async (
  accounts: Accounts,
  { args, caller, params }: Call,
  realm: Realm,
  purpose: 'confirm' | 'activate',
): Promise<ApiReply> => {
  const ref = args[0]!
  const outcome = await accounts[purpose](realm, ref, param(params, 'token'), caller.label)
  const view = outcome === 'invalid' ? null : await realm.view(ref, purpose)
  return view === null ? pageReply(outcomePage(realm, outcome)) : redirectReply(view)
}
