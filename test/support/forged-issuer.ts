import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a token endpoint answers; a function is asked with the form that came. */
type TokenAnswer = (form: URLSearchParams) => object

/** An OpenID provider on loopback that says whatever a test wants it to say. */
export interface ForgedIssuer extends AsyncDisposable {
  issuer: string
  clientId: string
  /** The public key, as PEM. */
  publicKey: string
  /** Claims of a token that is in order. */
  claims(more?: object): Record<string, unknown>
  /** A token signed as it should be, or by `as`. */
  token(claims: object, as?: Signer): string
  /** What the token endpoint answers from now on. */
  answer(with_: TokenAnswer): void
  /** What it says of itself from now on, beside what is right; or another answer. */
  describes(itself: Record<string, unknown> | string): void
  /** Requests so far, by path. */
  asked: string[]
  close(): Promise<void>
}

export interface Signer {
  alg: string
  kid?: string
  sign(text: string): string
}

export const es256 = (key: KeyObject, kid?: string): Signer => ({
  alg: 'ES256',
  ...(kid === undefined ? {} : { kid }),
  sign: (text) => sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
})

export const NONE: Signer = { alg: 'none', sign: () => '' }

/** The public key as a shared secret: what a careless verifier takes it for. */
export const hs256 = (secret: string, kid: string): Signer => ({
  alg: 'HS256',
  kid,
  sign: (text) => createHmac('sha256', secret).update(text).digest('base64url'),
})

export const newKey = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' })

const json = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export const openForgedIssuer = async (kid: string = randomUUID()): Promise<ForgedIssuer> => {
  const { publicKey, privateKey } = newKey()
  const clientId = `client-${randomUUID()}`
  const own = es256(privateKey, kid)
  const asked: string[] = []
  let description: Record<string, unknown> | string = {}
  let answer: TokenAnswer = () => ({ error: 'invalid_grant' })
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://x')
    asked.push(pathname)
    const send = (body: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (pathname === '/.well-known/openid-configuration') {
      if (typeof description === 'string') response.end(description)
      else send({ ...metadata, ...description })
    } else if (pathname === '/keys')
      send({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' }] })
    else {
      let form = ''
      request.on('data', (chunk) => {
        form += chunk
      })
      request.on('end', () => {
        const body = answer(new URLSearchParams(form))
        send(body, 'error' in body ? 400 : 200)
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    // A careless provider: what it announces must not be enough.
    id_token_signing_alg_values_supported: ['ES256', 'HS256', 'none'],
  }
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  const seconds = () => Math.floor(Date.now() / 1000)
  return {
    issuer,
    clientId,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    claims: (more = {}) => ({
      iss: issuer,
      aud: clientId,
      sub: randomUUID(),
      iat: seconds(),
      exp: seconds() + 300,
      ...more,
    }),
    token: (claims, { alg, kid: by, sign: seal } = own) => {
      const text = `${json({ alg, typ: 'JWT', kid: by })}.${json(claims)}`
      return `${text}.${seal(text)}`
    },
    answer: (with_) => {
      answer = with_
    },
    describes: (itself) => {
      description = itself
    },
    asked,
    close,
    [Symbol.asyncDispose]: close,
  }
}
