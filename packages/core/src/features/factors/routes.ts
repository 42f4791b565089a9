import { type EnvelopeValue, envelope, RawJson } from '../../api/envelope.js'
import { networkIn } from '../../api/network.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, type Call, type Route, route } from '../../api/route.js'
import { AppError, illegalArgument, unauthorized } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import type { SignIn, TokenRoutes, Tokens } from '../auth/index.js'
import { type Asking, type AskingDoors, askingAdmin, askingUser, tokenApplication } from './asking.js'
import type { Factors } from './factors.js'
import type { PasskeySignIn } from './passkey-sign-in.js'
import { credentialId } from './passkeys.js'
import { labelOf } from './person.js'
import { completed, type Factor } from './second-steps.js'

export interface FactorDoors extends AskingDoors {
  factors: Factors
  passkeySignIn: PasskeySignIn
  tokens: Tokens
  signing: Pick<TokenRoutes, 'request' | 'reply'>
  /** Checks a password, as at signing in. @throws {AppError} `too_many_requests` */
  verify: (signIn: SignIn) => Promise<boolean>
}

type Answer<C extends Call> = (call: C) => Promise<ApiReply>

/** How long (milliseconds) somebody who has signed in need not show his password. */
const RECENT = 600_000

/** `.../users/{user}/factors` on both planes, and the start of a sign-in with a passkey. */
export const factorRoutes = (doors: FactorDoors): { management: Route<Call>[]; app: Route<AppCall>[] } => ({
  management: [
    ...routesFor(doors, (call: Call) => askingAdmin(doors, call)),
    route('POST', 'auth/passkey/options', async () => signInOptions(doors, null)),
  ],
  app: [
    ...routesFor(doors, (call: AppCall) => askingUser(doors, call)),
    route('POST', 'auth/passkey/options', async (call: AppCall) => signInOptions(doors, call)),
  ],
})

const routesFor = <C extends Call>(doors: FactorDoors, asking: (call: C) => Promise<Asking>): Route<C>[] => {
  const { factors } = doors
  const itself =
    (work: (call: C, asked: Asking) => Promise<ApiReply>): Answer<C> =>
    async (call) => {
      const asked = await asking(call)
      if (!asked.isSelf) throw unauthorized('Only the user himself may set up his factors')
      return work(call, asked)
    }
  const itselfJustNow = (work: (call: C, asked: Asking) => Promise<ApiReply>): Answer<C> =>
    itself(async (call, asked) => {
      await checkRecent(doors, call, asked)
      return work(call, asked)
    })
  /** He himself may, and so may those who help him when he has lost them. */
  const removing =
    (remove: (by: string, asked: Asking, id: string) => Promise<void>): Answer<C> =>
    async (call) => {
      const asked = await asking(call)
      if (asked.isSelf) await checkRecent(doors, call, asked)
      await remove(asked.isSelf ? labelOf(asked) : call.caller.label, asked, call.args[1] ?? '')
      return shown(call, 'remove factors', await factors.show(asked))
    }
  const at = (rest: string) => `users/:user/factors${rest}`
  return [
    route('GET', at(''), async (call: C) =>
      shown(call, 'get factors', await factors.show(await asking(call))),
    ),
    route(
      'POST',
      at('/totp'),
      itselfJustNow(async (call, asked) =>
        shown(call, 'new authenticator', await factors.beginTotp(labelOf(asked), asked)),
      ),
    ),
    route(
      'POST',
      at('/totp/confirm'),
      itself((call, asked) => confirmTotp(doors, call, asked)),
    ),
    route(
      'POST',
      at('/recovery-codes'),
      itselfJustNow(async (call, asked) =>
        shown(call, 'new recovery codes', {
          recoveryCodes: await factors.newRecoveryCodes(labelOf(asked), asked),
        }),
      ),
    ),
    route(
      'POST',
      at('/passkeys/options'),
      itselfJustNow(async (call, asked) =>
        shown(call, 'new passkey', await factors.passkeyOptions(labelOf(asked), asked)),
      ),
    ),
    route(
      'POST',
      at('/passkeys'),
      itself((call, asked) => addPasskey(doors, call, asked)),
    ),
    route(
      'DELETE',
      at(''),
      removing((by, asked) => factors.removeAll(by, asked)),
    ),
    route(
      'DELETE',
      at('/totp'),
      removing((by, asked) => factors.removeTotp(by, asked)),
    ),
    route(
      'DELETE',
      at('/passkeys/:passkey'),
      removing((by, asked, id) => factors.removePasskey(by, asked, id)),
    ),
  ]
}

const confirmTotp = async (doors: FactorDoors, call: Call, asked: Asking): Promise<ApiReply> => {
  const { code } = bodyOf(call)
  if (typeof code !== 'string') throw illegalArgument('The code must be a text', 'code')
  const recoveryCodes = await doors.factors.confirmTotp(labelOf(asked), asked, code.trim(), asked.ticket)
  return setUp(doors, call, asked, 'totp', { recoveryCodes })
}

const addPasskey = async (doors: FactorDoors, call: Call, asked: Asking): Promise<ApiReply> => {
  const { name, response: given } = bodyOf(call)
  const { response } = credentialId(given, 'response')
  const added = await doors.factors.addPasskey(labelOf(asked), asked, { response, name }, asked.ticket)
  const codes: JsonObject = added.recoveryCodes === null ? {} : { recoveryCodes: added.recoveryCodes }
  return setUp(doors, call, asked, 'passkey', { ...added.passkey, ...codes })
}

/** The reply to a factor that was set up; where he had to, he is signed in now. */
const setUp = async (
  { tokens, signing }: FactorDoors,
  call: Call,
  { user, app, ticket }: Asking,
  factor: Factor,
  data: JsonObject,
): Promise<ApiReply> => {
  const action = 'add factor'
  if (ticket === null) return shown(call, action, data)
  const { asked } = await signing.request(call, app?.application ?? null)
  const { body } = await signing.reply(await tokens.signIn(user, app, completed(ticket, factor, asked)))
  return shown(call, action, new RawJson(`${JSON.stringify(data).slice(0, -1)},"signIn":${body}}`))
}

/**
 * Adding and removing takes a sign-in that is fresh, or the password: a token that was left lying about is not enough.
 * @throws {AppError} `auth_missing_credentials`, `auth_invalid_username_or_password`, `too_many_requests`
 */
const checkRecent = async (doors: FactorDoors, call: Call, { user, ticket }: Asking): Promise<void> => {
  const { caller, request } = call
  // Shown with this very request, or vouched for by the host program.
  if (ticket !== null || caller.token === undefined) return
  const { password } = bodyOf(call)
  if (password === undefined || password === null) {
    const at = await doors.tokens.signedInAt(user, caller.token)
    if (at !== null && call.now() - at < RECENT) return
    throw new AppError('auth_missing_credentials', 'Sign in again, or send your password')
  }
  if (typeof password !== 'string') throw illegalArgument('The password must be a text', 'password')
  const network = networkIn(request)
  if (!(await doors.verify({ app: user.app, ref: user.uuid, user, password, network })))
    throw new AppError('auth_invalid_username_or_password', 'The password is wrong')
}

const signInOptions = async (doors: FactorDoors, call: AppCall | null): Promise<ApiReply> => {
  const app = call === null ? null : await tokenApplication(doors, call.app)
  return unstored({ status: 200, body: JSON.stringify(doors.passkeySignIn.begin(app)) })
}

/** Never from the query: what is in an address ends up in logs. */
const bodyOf = ({ request: { body } }: Call): JsonObject => (isJsonObject(body) ? body : {})

const shown = ({ startedAt, now }: Call, action: string, data: EnvelopeValue): ApiReply =>
  unstored(envelope({ action, status: 'ok', data }, startedAt, now()))

const unstored = (reply: ApiReply): ApiReply => ({
  ...reply,
  headers: { ...reply.headers, 'Cache-Control': 'no-store' },
})
