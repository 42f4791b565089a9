import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'

export interface AuthenticatorOptions {
  /** Of the page that asks. */
  origin: string
  /** Whether it unlocks itself for its user, and says so. */
  verifies?: boolean
  /** Whether it counts its signatures; passkeys that are synchronized do not. */
  counts?: boolean
}

/** What the server sends for `navigator.credentials.create`, as far as it matters here. */
export interface CreationOptions {
  challenge: string
  rp: { id: string }
  user: { id: string }
}

export interface RequestOptions {
  challenge: string
  rpId: string
  allowCredentials?: { id: string }[]
}

interface Credential {
  id: string
  rpId: string
  user: string
  key: KeyObject
  counter: number
}

const PRESENT = 0x01
const VERIFIED = 0x04
const HAS_CREDENTIAL = 0x40

/** A passkey in software, with the browser around it: ES256, and no attestation (WebAuthn, level 2). */
export class Authenticator {
  readonly #options: Required<AuthenticatorOptions>
  readonly #credentials: Credential[] = []

  constructor({ origin, verifies = true, counts = true }: AuthenticatorOptions) {
    this.#options = { origin, verifies, counts }
  }

  /** The same passkeys, as another page, or a thief of their keys, has them at this moment. */
  copy(changes: Partial<AuthenticatorOptions> = {}): Authenticator {
    const copy = new Authenticator({ ...this.#options, ...changes })
    copy.#credentials.push(...this.#credentials.map((credential) => ({ ...credential })))
    return copy
  }

  /** Answers `navigator.credentials.create`. `attestation` is put in place of none. */
  create(options: CreationOptions, attestation: { fmt: string; attStmt: Cbor } = NONE) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' }) as { x: string; y: string }
    const id = randomBytes(32)
    const credential = {
      id: id.toString('base64url'),
      rpId: options.rp.id,
      user: options.user.id,
      key: privateKey,
      counter: 0,
    }
    const cose = new Map<Cbor, Cbor>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ])
    const length = Buffer.alloc(2)
    length.writeUInt16BE(id.length)
    const attested = Buffer.concat([Buffer.alloc(16), length, id, encode(cose)])
    this.#credentials.push(credential)
    const authData = this.#authData(credential, HAS_CREDENTIAL, attested)
    const { fmt, attStmt } = attestation
    const object = new Map<Cbor, Cbor>([
      ['fmt', fmt],
      ['attStmt', attStmt],
      ['authData', authData],
    ])
    return {
      ...named(credential.id),
      response: {
        clientDataJSON: this.#clientData('webauthn.create', options.challenge).toString('base64url'),
        attestationObject: encode(object).toString('base64url'),
        transports: ['internal'],
      },
    }
  }

  /** Answers `navigator.credentials.get`, with the latest passkey that fits. */
  get({ challenge, rpId, allowCredentials = [] }: RequestOptions) {
    const allowed = new Set(allowCredentials.map(({ id }) => id))
    const credential = this.#credentials.findLast(
      (candidate) => candidate.rpId === rpId && (allowed.size === 0 || allowed.has(candidate.id)),
    )
    if (credential === undefined) throw new Error('There is no passkey for this')
    if (this.#options.counts) credential.counter++
    const clientData = this.#clientData('webauthn.get', challenge)
    const authData = this.#authData(credential, 0)
    const signed = Buffer.concat([authData, createHash('sha256').update(clientData).digest()])
    return {
      ...named(credential.id),
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: createSign('sha256').update(signed).sign(credential.key).toString('base64url'),
        userHandle: credential.user,
      },
    }
  }

  #clientData(type: string, challenge: string): Buffer {
    const { origin } = this.#options
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))
  }

  #authData({ rpId, counter }: Credential, flags: number, more: Buffer = Buffer.alloc(0)): Buffer {
    const head = Buffer.alloc(37)
    createHash('sha256').update(rpId).digest().copy(head)
    head[32] = PRESENT | (this.#options.verifies ? VERIFIED : 0) | flags
    head.writeUInt32BE(counter, 33)
    return Buffer.concat([head, more])
  }
}

const named = (id: string) => ({ id, rawId: id, type: 'public-key', clientExtensionResults: {} })

export type Cbor = number | string | Buffer | Cbor[] | Map<Cbor, Cbor>

const NONE = { fmt: 'none', attStmt: new Map<Cbor, Cbor>() }

/** As much of CBOR (RFC 8949) as passkeys need. */
const encode = (value: Cbor): Buffer => {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(encode)])
  const entries = [...value].flatMap(([key, item]) => [encode(key), encode(item)])
  return Buffer.concat([head(5, value.size), ...entries])
}

const head = (major: number, count: number): Buffer => {
  const type = major << 5
  if (count < 24) return Buffer.from([type | count])
  if (count < 256) return Buffer.from([type | 24, count])
  return Buffer.from([type | 25, count >> 8, count & 255])
}
