import { expect } from 'vitest'
import { type Answer, type Caller, PASSWORD, type TestApplication } from './application.js'
import { Authenticator } from './authenticator.js'
import { codeAt } from './totp.js'

export const ORIGIN = 'https://shop.example.org'
/** For `sharedServer`: where passkeys work. */
export const PASSKEYS = { rpId: 'example.org', origins: [ORIGIN, 'https://example.org'] }
export const STEP = 30_000

/** A clock that stands still until it is moved. */
export class Clock {
  now = Date.UTC(2026, 0, 1)
  readonly read = (): number => this.now

  /** To the next code of every authenticator app. */
  next(): void {
    this.now += STEP
  }
}

/** Somebody with a password, on one of the planes. */
export interface Account {
  uuid: string
  /** Where he signs in: paths below an application, or below `/management`. */
  door: Caller
  /** The first step: his password, with `more`. */
  signIn(more?: object): Promise<Answer>
  /** The second step. */
  go(refused: Answer, proof: object): Promise<Answer>
  /** His factors, with his token or another: paths below `.../users/{him}/factors`. */
  factors(token?: string, ref?: string): Caller
  /** He, with his token: paths below `.../users/me`. */
  me: Caller
  /** Those who may help him, as his factors know them. */
  helper: Caller
  token: string
}

/** Somebody who signs in at a door. */
export const accountAt = async (
  door: Caller,
  as: (token: string, path: string) => Caller,
  who: { uuid: string; username: string; helper: (ref: string) => Caller },
): Promise<Account> => {
  const signIn = (more: object = {}) =>
    door.post('/token', { grant_type: 'password', username: who.username, password: PASSWORD, ...more })
  const token = (await signIn()).body.access_token as string
  return {
    uuid: who.uuid,
    door,
    signIn,
    go: (refused, proof) =>
      door.post('/token', {
        grant_type: 'second_factor',
        second_factor_token: refused.body.second_factor_token,
        ...proof,
      }),
    factors: (other = token, ref = 'me') => as(other, `/users/${ref}/factors`),
    me: as(token, '/users/me'),
    helper: who.helper(who.uuid),
    token,
  }
}

/** A user of a closed application of its own. */
export const userAccount = async (app: TestApplication, name = 'shop'): Promise<Account> => {
  const { path, admin, guest } = await app.newApplication(name)
  const body = { username: 'ann', email: 'ann@example.org', password: PASSWORD }
  const { uuid } = (await admin.post('/users', body)).body.entities[0]
  return accountAt(guest, (token, rest) => app.as(token, path + rest), {
    uuid,
    username: 'ann',
    helper: (ref) => app.as(app.adminToken, `${path}/users/${ref}/factors`),
  })
}

/** The organization's owner; `sysadmin` is a token of a system administrator. */
export const adminAccount = (app: TestApplication, sysadmin: string): Promise<Account> =>
  accountAt(app.as(undefined, '/management'), (token, rest) => app.as(token, `/management${rest}`), {
    uuid: app.owner.uuid,
    username: app.owner.username,
    helper: (ref) => app.as(sysadmin, `/management/users/${ref}/factors`),
  })

/** Sets up an authenticator app; what it shows from then on, and the recovery codes. */
export const withTotp = async ({ factors }: Account, clock: Clock, token?: string) => {
  const { secret } = (await factors(token).post('/totp', { password: PASSWORD })).body.data
  const shows = () => codeAt(secret, clock.now)
  const confirmed = await factors(token).post('/totp/confirm', { code: shows() })
  expect(confirmed.status).toBe(200)
  clock.next()
  return { shows, recoveryCodes: confirmed.body.data.recoveryCodes as string[], confirmed }
}

/** Sets up a passkey. */
export const withPasskey = async (
  { factors }: Account,
  authenticator = new Authenticator({ origin: ORIGIN }),
  token?: string,
) => {
  const { data } = (await factors(token).post('/passkeys/options', { password: PASSWORD })).body
  const added = await factors(token).post('/passkeys', {
    response: authenticator.create(data),
    name: 'My phone',
  })
  expect(added.status).toBe(200)
  return { authenticator, added, id: added.body.data.id as string }
}
