import { createHash, randomBytes } from 'node:crypto'
import { type Answer, type Caller, PASSWORD, type TestApplication } from './application.js'
import { browse } from './browser.js'

/** Where clients are told that the server is; it is at another address in tests. */
export const PUBLIC = 'https://api.example.test/base'
/** Where the program of these tests waits for browsers. */
export const GOAL = 'https://shop.example.org/signed-in'

/** What a program makes up for one sign-in. */
export interface Pkce {
  verifier: string
  challenge: string
}

export const newPkce = (): Pkce => {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** A closed application whose browsers may go to `GOAL`. */
export interface Shop {
  /** `/{org}/shop` */
  path: string
  uuid: string
  admin: Caller
  guest: Caller
  as(token: string): Caller
  /** Where a public address really is. */
  here(url: string): string
  /** The public address of a path below the application. */
  address(below: string, params?: Record<string, string>): string
  /** Takes a person to a provider and back; the address he ends at. */
  visit(
    provider: string,
    person: string,
    params?: Record<string, string>,
  ): Promise<{ url: URL; status: number; text: string }>
  /** Exchanges a code. */
  exchange(code: string | null, pkce: Pkce, more?: object): Promise<Answer>
  /** Signs a person in with a provider. */
  signIn(provider: string, person: string): Promise<Answer>
  /** A user with a password. */
  user(body: object): Promise<{ uuid: string; username: string }>
  password(username: string, password?: string): Promise<Answer>
}

/** Parameters of a request that begins a sign-in. */
export const beginning = ({ challenge }: Pkce) => ({
  redirect_uri: GOAL,
  state: 'the state of the program',
  code_challenge: challenge,
  code_challenge_method: 'S256',
})

export const openShop = async (app: TestApplication, name = 'shop'): Promise<Shop> => {
  const { path, uuid, admin, guest, as } = await app.newApplication(name)
  await admin.put('/auth/redirects', { redirectUris: [GOAL, 'http://127.0.0.1/cb'] })
  const here = (url: string): string => url.replace(PUBLIC, app.url)
  const address = (below: string, params: Record<string, string> = {}): string =>
    `${PUBLIC}${path}${below}?${new URLSearchParams(params)}`
  const visit: Shop['visit'] = (provider, person, params: Record<string, string> = beginning(newPkce())) =>
    browse(address(`/auth/${provider}/start`, params), {
      person,
      until: params['redirect_uri'] ?? GOAL,
      here,
    })
  const exchange: Shop['exchange'] = (code, { verifier }, more = {}) =>
    guest.post('/token', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: GOAL,
      code_verifier: verifier,
      ...more,
    })
  return {
    ...{ path, uuid, admin, guest, as, here, address, visit, exchange },
    signIn: async (provider, person) => {
      const pkce = newPkce()
      const { url } = await visit(provider, person, beginning(pkce))
      return exchange(url.searchParams.get('code'), pkce)
    },
    user: async (body) => (await admin.post('/users', { password: PASSWORD, ...body })).body.entities[0],
    password: (username, password = PASSWORD) =>
      guest.post('/token', { grant_type: 'password', username, password }),
  }
}
