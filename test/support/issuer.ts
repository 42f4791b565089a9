import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'
import { PERSON } from './browser.js'

/** Somebody as an issuer knows him. */
export interface Person {
  sub: string
  email?: string
  email_verified?: boolean
  name?: string
}

export interface IssuerClient {
  clientId: string
  clientSecret: string
}

/** A real OpenID provider on loopback. People sign in to it without being asked. */
export interface Issuer extends AsyncDisposable {
  issuer: string
  client: IssuerClient
  /** Makes somebody known to it. */
  person(person: Person): void
  close(): Promise<void>
}

/** Browsers may come back to the addresses below `callbacks` only. */
export const openIssuer = async (callbacks: readonly string[]): Promise<Issuer> => {
  const people = new Map<string, Person>()
  const client = { clientId: `client-${randomUUID()}`, clientSecret: randomUUID() + randomUUID() }
  let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
  const server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [...callbacks],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_, sub) => {
      const person = people.get(sub)
      return person && { accountId: sub, claims: () => ({ ...person }) }
    },
    jwks: { keys: [privateJwk()] },
    cookies: { keys: [randomUUID()] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    ttl: { AccessToken: 600, IdToken: 600, Interaction: 600, Session: 600, Grant: 600 },
  })
  const callback = provider.callback()
  const signIn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { params } = await provider.interactionDetails(request, response)
    const accountId = String(request.headers[PERSON])
    if (!people.has(accountId)) {
      await provider.interactionFinished(request, response, { error: 'access_denied' })
      return
    }
    const grant = new provider.Grant({ accountId, clientId: String(params['client_id']) })
    grant.addOIDCScope(String(params['scope']))
    const consent = { grantId: await grant.save() }
    await provider.interactionFinished(request, response, { login: { accountId }, consent })
  }
  answer = (request, response) =>
    request.url?.startsWith('/interaction/') === true
      ? void signIn(request, response)
      : void callback(request, response)
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    issuer,
    client,
    person: (person) => void people.set(person.sub, person),
    close,
    [Symbol.asyncDispose]: close,
  }
}

const privateJwk = () => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid: randomUUID(),
  alg: 'ES256',
  use: 'sig',
})
