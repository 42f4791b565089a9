import { AuthenticationError, createClient } from '@entigrid/sdk'
import { expect, it } from 'vitest'
import { browse } from '../support/browser.js'
import { openForgedIssuer } from '../support/forged-issuer.js'
import { openIssuer } from '../support/issuer.js'
import { openTestServer } from '../support/server.js'
import { GOAL, PUBLIC } from '../support/sign-in-elsewhere.js'

/** A server that lets browsers come back to `GOAL`, and clients of its application. */
const open = async () => {
  const server = await openTestServer({ options: { publicUrl: PUBLIC, allowPrivateNetworks: true } })
  const { url, organization, application, clientId, clientSecret } = server
  const program = createClient({ url, organization, application, clientId, clientSecret })
  await program.request('PUT', '/auth/redirects', { body: { redirectUris: [GOAL] } })
  return {
    client: () => createClient({ url, organization, application }),
    program,
    path: `${PUBLIC}/${organization}/${application}`,
    here: (address: string) => address.replace(PUBLIC, url),
    [Symbol.asyncDispose]: () => server.close(),
  }
}

it('a client signs in with a provider, and only the browser that was sent comes back', async () => {
  await using app = await open()
  await using issuer = await openIssuer([`${app.path}/auth/google/callback`])
  issuer.person({ sub: 'mia-1', email: 'mia@x.test', email_verified: true, name: 'Mia' })
  const provider = { issuer: issuer.issuer, ...issuer.client }
  await app.program.request('PUT', '/auth/providers/google', { body: provider })
  const [client, thief] = [app.client(), app.client()]

  const pending = await client.signInWith('google', { redirectUri: GOAL })
  const { url } = await browse(pending.url, { person: 'mia-1', until: GOAL, here: app.here })
  const his = await thief.signInWith('google', { redirectUri: GOAL })
  const stolen = thief.exchangeCode(url.href, { ...his, state: pending.state })

  await expect(stolen).rejects.toBeInstanceOf(AuthenticationError)
  const again = await client.signInWith('google', { redirectUri: GOAL })
  const back = await browse(again.url, { person: 'mia-1', until: GOAL, here: app.here })
  const mia = await client.exchangeCode(back.url.href, JSON.parse(JSON.stringify(again)), { refresh: true })
  expect(mia).toMatchObject({ email: 'mia@x.test', name: 'Mia' })
  expect(await client.me()).toMatchObject({ uuid: mia.uuid })
  expect(client.tokens.refreshToken).toBeDefined()
})

it('a client on a device signs in with the ID token that it has got', async () => {
  await using app = await open()
  await using issuer = await openForgedIssuer()
  const provider = { issuer: issuer.issuer, clientId: issuer.clientId }
  await app.program.request('PUT', '/auth/providers/google', { body: provider })
  const client = app.client()
  const idToken = issuer.token(issuer.claims({ sub: 'mia-1', nonce: 'n1', name: 'Mia' }))

  const mia = await client.signInWithIdToken('google', { idToken, nonce: 'n1' }, { ttl: 60_000 })

  expect(await client.me()).toMatchObject({ uuid: mia.uuid, name: 'Mia' })
  expect(client.tokenExpiresAt).toBeLessThanOrEqual(Date.now() + 60_000)
  await expect(client.signInWithIdToken('google', { idToken, nonce: 'n2' })).rejects.toBeInstanceOf(
    AuthenticationError,
  )
})
