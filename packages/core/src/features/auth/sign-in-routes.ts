import type { EnvelopeValue } from '../../api/envelope.js'
import type { ApiReply } from '../../api/request.js'
import { type Call, type Route, route } from '../../api/route.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Tokens } from './tokens.js'

export interface SignInDoors<C extends Call> {
  tokens: Tokens
  /** The user that the path begins with. @throws {AppError} for callers who may not manage his sign-ins. */
  whose: (call: C) => Promise<StoredEntity>
  reply: (call: C, fields: Record<string, EnvelopeValue>) => ApiReply
}

/** Where a user is signed in, and the means to end it; the same on both planes. */
export const signInRoutes = <C extends Call>({ tokens, whose, reply }: SignInDoors<C>): Route<C>[] => [
  route('GET', 'users/:user/signins', async (call: C) => {
    const user = await whose(call)
    const { token } = call.caller
    const current = token === undefined ? null : (await tokens.claims(token)).signIn
    const signIns = await tokens.signIns(user)
    return reply(call, {
      action: 'get',
      data: signIns.map((signIn) => ({ ...signIn, current: signIn.id === current })),
    })
  }),
  route('DELETE', 'users/:user/signins/:id', async (call: C) => {
    const user = await whose(call)
    const id = call.args[1]!.toLowerCase()
    await tokens.endSignIn(call.caller.label, user, id)
    return reply(call, { action: 'delete', data: { id } })
  }),
]
