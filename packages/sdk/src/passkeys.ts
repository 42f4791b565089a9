/**
 * What passes between the server and `navigator.credentials`, as JSON (WebAuthn Level 3, 5.1). The options go through
 * `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`, the answer is what `toJSON()`
 * of the credential gives.
 */
export type PasskeyCreationOptions = PublicKeyCredentialCreationOptionsJSON
export type PasskeyRequestOptions = PublicKeyCredentialRequestOptionsJSON

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
