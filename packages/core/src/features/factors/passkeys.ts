import { randomBytes } from 'node:crypto'
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { AppError, illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import type { StoredEntity } from '../../storage/store.js'
import type { KeptPasskey } from './kept.js'
import type { RelyingParty } from './relying-party.js'

/** Milliseconds that a browser waits for its user. */
const TIMEOUT = 300_000
const MAX_ID_LENGTH = 1364
const TRANSPORTS = new Set(['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'])

/** Taken when the first passkey comes along: it is large, and most who embed us have none. */
const webauthn = () => import('@simplewebauthn/server')

export type NewPasskey = Pick<KeptPasskey, 'id' | 'publicKey' | 'counter' | 'transports'>

/** A new challenge, base64url. */
export const newChallenge = (): string => randomBytes(32).toString('base64url')

/** What a browser needs to make a passkey (WebAuthn, `PublicKeyCredentialCreationOptionsJSON`). */
export const creationOptions = async (
  { id, name }: RelyingParty,
  user: StoredEntity,
  passkeys: readonly KeptPasskey[],
  challenge: string,
): Promise<JsonObject> => {
  const { generateRegistrationOptions } = await webauthn()
  const userName = String(user.object['username'])
  const options = await generateRegistrationOptions({
    rpID: id,
    rpName: name,
    userName,
    userDisplayName: String(user.object['name'] ?? userName),
    userID: new Uint8Array(uuidBytes(user.uuid)),
    challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
    timeout: TIMEOUT,
    attestationType: 'none',
    excludeCredentials: passkeys.map((passkey) => ({ id: passkey.id, transports: passkey.transports })),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
  })
  return options as unknown as JsonObject
}

/** The passkey that a browser has made. @throws {AppError} `illegal_argument` for whatever is none. */
export const readCreated = async (
  { id, origins }: RelyingParty,
  response: JsonObject,
  challenge: string,
): Promise<NewPasskey> => {
  const { verifyRegistrationResponse } = await webauthn()
  await checkAttestation(response)
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response: response as unknown as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: id,
      requireUserVerification: false,
    })
    const { credential } = registrationInfo!
    if (credential.id.length > MAX_ID_LENGTH) throw new RangeError('The id of the credential is too long')
    const transports = (credential.transports ?? []) as unknown[]
    return {
      id: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      counter: credential.counter,
      transports: [...TRANSPORTS].filter((transport) => transports.includes(transport)),
    }
  } catch (cause) {
    throw notCreated(cause)
  }
}

/**
 * Browsers were told that we ask no maker for a reference. One that comes all the same is refused unread: to check it
 * would mean to fetch what its certificates name, from wherever they say.
 */
const checkAttestation = async ({ response }: JsonObject): Promise<void> => {
  const { decodeAttestationObject, isoBase64URL } = await import('@simplewebauthn/server/helpers')
  let isPlain = false
  try {
    const attestation = (response as JsonObject)['attestationObject'] as string
    const decoded = decodeAttestationObject(isoBase64URL.toBuffer(attestation))
    const format = decoded.get('fmt')
    isPlain = format === 'none' || (format === 'packed' && decoded.get('attStmt').get('x5c') === undefined)
  } catch (cause) {
    throw notCreated(cause)
  }
  if (!isPlain) throw notCreated(new TypeError('The attestation is of a form that was not asked for'))
}

const notCreated = (cause: unknown): AppError =>
  new AppError('illegal_argument', 'The passkey was not accepted; begin again', {
    cause,
    fields: [{ field: 'response', message: 'was not accepted' }],
  })

/** What a browser needs to sign with a passkey; with any that it has when none are named. */
export const requestOptions = (
  { id }: RelyingParty,
  passkeys: readonly KeptPasskey[],
  challenge: string,
  userVerification: 'required' | 'preferred',
): JsonObject => {
  const options: PublicKeyCredentialRequestOptionsJSON = {
    challenge,
    rpId: id,
    timeout: TIMEOUT,
    userVerification,
    allowCredentials: passkeys.map((passkey) => ({
      id: passkey.id,
      type: 'public-key',
      transports: passkey.transports,
    })),
  }
  return options as unknown as JsonObject
}

/**
 * Whether a browser has signed the challenge with this passkey: the new count of its signatures, or `null`.
 * `mustVerify`: by somebody who unlocked the device, which makes two factors of it.
 */
export const readSigned = async (
  { id, origins }: RelyingParty,
  response: JsonObject,
  passkey: KeptPasskey,
  challenge: string,
  mustVerify: boolean,
): Promise<number | null> => {
  const { verifyAuthenticationResponse } = await webauthn()
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: response as unknown as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: id,
      credential: {
        id: passkey.id,
        publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
        counter: passkey.counter,
      },
      requireUserVerification: mustVerify,
    })
    return verified ? authenticationInfo.newCounter : null
  } catch {
    // The library throws for everything that is wrong with what browsers, or others, send.
    return null
  }
}

/** The id of the credential in a browser's answer. @throws {AppError} `illegal_argument` when it has not that form. */
export const credentialId = (response: unknown, field: string): { response: JsonObject; id: string } => {
  if (!isJsonObject(response) || !isJsonObject(response['response']))
    throw illegalArgument(`The ${field} must be what the browser answered, as JSON`, field)
  const { id } = response
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH)
    throw illegalArgument(`The ${field} must have the id of the passkey`, field)
  return { response, id }
}

/** The uuid of the user that a passkey says it belongs to, or `null`. */
export const passkeyUser = ({ response }: JsonObject): string | null => {
  const handle = isJsonObject(response) ? response['userHandle'] : undefined
  const bytes = typeof handle === 'string' && handle.length < 100 ? Buffer.from(handle, 'base64url') : null
  if (bytes?.length !== 16) return null
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const uuidBytes = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex')
