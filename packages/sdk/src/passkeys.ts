/**
 * What passes between the server and `navigator.credentials`, as JSON (WebAuthn Level 3, 5.1). Options go through
 * `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`; the answer is what `toJSON()` of
 * the credential gives. The types are those of browsers, as far as the server fills them, so that Node needs no others.
 */
export interface PasskeyCreationOptions {
  challenge: string
  rp: { id: string; name: string }
  user: { id: string; name: string; displayName: string }
  pubKeyCredParams: { type: 'public-key'; alg: number }[]
  excludeCredentials?: PasskeyDescriptor[]
  authenticatorSelection?: {
    residentKey?: Wish
    requireResidentKey?: boolean
    userVerification?: Wish
  }
  attestation?: string
  /** Milliseconds. */
  timeout?: number
}

export interface PasskeyRequestOptions {
  challenge: string
  rpId: string
  allowCredentials?: PasskeyDescriptor[]
  userVerification?: Wish
  /** Milliseconds. */
  timeout?: number
}

type Wish = 'required' | 'preferred' | 'discouraged'

export interface PasskeyDescriptor {
  id: string
  type: 'public-key'
  transports?: string[]
}

/** A credential as JSON. */
export interface PasskeyAnswer {
  id: string
  rawId: string
  type: string
  response: object
}

/** Makes a passkey with the browser. */
export type MakePasskey = (options: PasskeyCreationOptions) => PasskeyAnswer | Promise<PasskeyAnswer>
/** Signs with a passkey by the browser. */
export type UsePasskey = (options: PasskeyRequestOptions) => PasskeyAnswer | Promise<PasskeyAnswer>
