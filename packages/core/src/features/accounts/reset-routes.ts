import { networkIn } from '../../api/network.js'
import { pageReply, redirectReply } from '../../api/page.js'
import type { ApiReply } from '../../api/request.js'
import { type Call, type Route, route } from '../../api/route.js'
import { param } from '../../api/url.js'
import { isMailAddress } from '../../domain/account-names.js'
import { AppError, illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.js'
import { MailTokens } from '../mail/index.js'
import { responseIn } from './captcha.js'
import { donePage, emailPage, passwordPage, sentPage } from './pages.js'
import type { Resets } from './resets.js'
import type { Captcha, Realm } from './types.js'

export interface ResetDoors {
  resets: Resets
  captcha: Captcha | undefined
}

type RealmOf<C extends Call> = (call: C) => Realm

/** Pages for forgotten passwords (identity rules 1.11), the same for administrators and for users of an application. */
export const resetRoutes = <C extends Call>(doors: ResetDoors, realmOf: RealmOf<C>): Route<C>[] => {
  const { captcha } = doors
  return [
    route('GET', 'users/resetpw', async (call: C) =>
      pageReply(emailPage(realmOf(call), { captcha, action: 'resetpw' })),
    ),
    route('POST', 'users/resetpw', (call: C) => requestByMail(doors, call, realmOf(call))),
    route('GET', 'users/:user/resetpw', (call: C) => open(doors, call, realmOf(call))),
    route('POST', 'users/:user/resetpw', (call: C) => answer(doors, call, realmOf(call))),
  ]
}

const requestByMail = async (doors: ResetDoors, call: Call, realm: Realm): Promise<ApiReply> => {
  const fields = bodyOf(call)
  const email = text(fields, 'email')?.trim() ?? ''
  const again = (problem: string) =>
    refused(call, problem, () => emailPage(realm, { captcha: doors.captcha, action: 'resetpw', problem }))
  if (email === '') return again('No email provided, try again...')
  if (!isMailAddress(email)) return again('This is no e-mail address, try again...')
  if (!(await passes(doors, call, fields))) return again('Incorrect Captcha, try again...')
  if (!(await isAsked(doors, call, realm, email))) return again(TOO_MANY)
  return sent(
    call,
    `Email with instructions for password reset sent to ${email}, if it is of an account here.`,
  )
}

/** What the link of the mail leads to. */
const open = async (doors: ResetDoors, call: Call, realm: Realm): Promise<ApiReply> => {
  const token = param(call.params, 'token')
  const user = MailTokens.isToken(token) ? await doors.resets.find(realm, call.args[0]!, token) : null
  if (user !== null) return pageReply(passwordPage(realm, { name: realm.nameOf(user), token: token! }))
  const problem = token === undefined ? null : INVALID
  return pageReply(emailPage(realm, { captcha: doors.captcha, action: '../resetpw', problem }))
}

const INVALID = "Sorry, you have an invalid token. Let's try again..."

const answer = async (doors: ResetDoors, call: Call, realm: Realm): Promise<ApiReply> => {
  const fields = bodyOf(call)
  const [token, password1, password2] = ['token', 'password1', 'password2'].map((name) => text(fields, name))
  if (password1 === undefined && password2 === undefined) return requestByPath(doors, call, realm, fields)
  const page = emailPage(realm, { captcha: doors.captcha, action: '../resetpw', problem: INVALID })
  if (!MailTokens.isToken(token)) return refused(call, INVALID, () => ({ ...page, status: 400 }))
  const user = await doors.resets.find(realm, call.args[0]!, token)
  if (user === null) return refused(call, INVALID, () => page)
  const again = (problem: string) =>
    refused(call, problem, () => passwordPage(realm, { name: realm.nameOf(user), token, problem }))
  if (password1 !== password2 || password1 === undefined)
    return again("Passwords didn't match, let's try again...")
  try {
    const change = { token, password: password1, principal: call.caller.label }
    if (!(await doors.resets.set(realm, user, change))) return refused(call, INVALID, () => page)
  } catch (error) {
    // Too short, used before: he may choose another one.
    if (!(error instanceof AppError) || error.status >= 500 || call.request.form !== true) throw error
    return again(`Choose another password: ${error.message.replaceAll(/error_\w+_policy: /g, '')}`)
  }
  const view = asks(call) ? null : await realm.view(call.args[0]!, 'resetpw_set_success')
  if (view !== null) return redirectReply(view)
  const done = `New password set for ${realm.nameOf(user)}`
  return asks(call) ? json({ action: 'set user password', status: 'ok' }) : pageReply(donePage('Done', done))
}

const requestByPath = async (
  doors: ResetDoors,
  call: Call,
  realm: Realm,
  fields: JsonObject,
): Promise<ApiReply> => {
  const again = (problem: string) =>
    refused(call, problem, () => emailPage(realm, { captcha: doors.captcha, action: '../resetpw', problem }))
  if (!(await passes(doors, call, fields))) return again('Incorrect Captcha, try again...')
  if (!(await isAsked(doors, call, realm, call.args[0]!))) return again(TOO_MANY)
  return sent(call, 'Email with instructions for password reset sent, if there is such an account.')
}

const TOO_MANY = 'Too many mails were asked for from here, try again in an hour...'

/** Asks for the mail; `false` is what a person is told of too many. @throws {AppError} `too_many_requests`, to programs. */
const isAsked = async (
  { resets }: ResetDoors,
  { request }: Call,
  realm: Realm,
  ref: string,
): Promise<boolean> => {
  try {
    await resets.request(realm, ref, networkIn(request))
    return true
  } catch (error) {
    if (request.form !== true || !(error instanceof AppError) || error.code !== 'too_many_requests')
      throw error
    return false
  }
}

const passes = async ({ captcha }: ResetDoors, { request }: Call, fields: JsonObject): Promise<boolean> => {
  if (captcha === undefined) return true
  const response = responseIn(fields)
  return response !== null && captcha.verify(response, request.address)
}

const bodyOf = ({ request: { body } }: Call): JsonObject => (isJsonObject(body) ? body : {})

/** @throws {AppError} `illegal_argument` for anything but a text. */
const text = (fields: JsonObject, field: string): string | undefined => {
  const value: Json | undefined = fields[field]
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined
  throw illegalArgument(`The ${field} must be a text`, field)
}

/** Programs send JSON and get JSON; people send forms and get pages. */
const asks = ({ request: { form, body } }: Call): boolean => form !== true && isJsonObject(body)

const json = (fields: JsonObject): ApiReply => ({
  status: 200,
  body: JSON.stringify(fields),
  headers: { 'Cache-Control': 'no-store' },
})

const sent = (call: Call, message: string): ApiReply =>
  asks(call) ? json({ action: 'reset user password', status: 'ok', message }) : pageReply(sentPage(message))

const refused = (call: Call, problem: string, page: () => Parameters<typeof pageReply>[0]): ApiReply => {
  if (asks(call)) throw illegalArgument(problem)
  return pageReply(page())
}
