import { AppError, illegalArgument } from '../../domain/errors.js'
import { isJsonObject } from '../../domain/json.js'
import type { TokenApplication } from '../auth/index.js'

/** Whom passkeys are made for (WebAuthn, "relying party"). */
export interface RelyingParty {
  /** A domain; passkeys work on it and below it. */
  id: string
  /** Shown by the browser. */
  name: string
  /** Of pages that may use the passkeys, such as `https://shop.example.org`. */
  origins: readonly string[]
}

/** The same as it is configured. */
export interface PasskeySettings {
  /** By default the host of the first origin. */
  rpId?: string | undefined
  name?: string | undefined
  origins: readonly string[]
}

/** Whom the passkeys of an application, or of administrators, are made for. */
export class RelyingParties {
  readonly #fallback: PasskeySettings | null

  /** For administrators, and for applications that say nothing themselves. */
  constructor(settings: PasskeySettings | undefined, publicUrl: string | undefined) {
    const origins = publicUrl === undefined ? null : { origins: [new URL(publicUrl).origin] }
    this.#fallback = settings === undefined ? origins : readPasskeySettings(settings)
  }

  /** `null` where no passkeys can be used, for want of an address. */
  find(app: TokenApplication | null): RelyingParty | null {
    const settings = readPasskeySettings(app?.properties['passkeys']) ?? this.#fallback
    return settings === null ? null : relyingParty(settings, this.nameFor(app))
  }

  /** @throws {AppError} `invalid_request` where passkeys cannot be used. */
  get(app: TokenApplication | null): RelyingParty {
    const party = this.find(app)
    if (party === null)
      throw new AppError('invalid_request', 'Passkeys are not configured: they need publicUrl, or origins')
    return party
  }

  /** What people know us by. */
  nameFor(app: TokenApplication | null): string {
    return app?.application.applicationName ?? this.#fallback?.name ?? 'Entigrid'
  }
}

const MAX_ORIGINS = 20
const ANDROID = /^android:apk-key-hash:[\w-]{1,100}$/
const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Reads `{"rpId"?, "name"?, "origins": [...]}`, the property `passkeys` of an application; `null` when it has none.
 * @throws {AppError} `illegal_argument` for anything else, or origins that the domain does not cover.
 */
export const readPasskeySettings = (value: unknown): PasskeySettings | null => {
  if (value === undefined || value === null) return null
  if (!isJsonObject(value)) throw wrong('passkeys must be an object with origins')
  const { rpId, name, origins } = value
  if (!Array.isArray(origins) || origins.length === 0 || origins.length > MAX_ORIGINS)
    throw wrong(`passkeys.origins must list 1 to ${MAX_ORIGINS} origins`)
  if (rpId !== undefined && typeof rpId !== 'string') throw wrong('passkeys.rpId must be a domain')
  if (name !== undefined && typeof name !== 'string') throw wrong('passkeys.name must be a text')
  const settings = { rpId, name, origins: origins.map(readOrigin) }
  relyingParty(settings, '')
  return settings
}

/** @throws {AppError} `illegal_argument` */
export const relyingParty = (
  { rpId, name, origins }: PasskeySettings,
  fallbackName: string,
): RelyingParty => {
  const hosts = origins.filter((origin) => !ANDROID.test(origin)).map((origin) => new URL(origin).hostname)
  const id = (rpId ?? hosts[0])?.toLowerCase()
  if (id === undefined) throw wrong('passkeys.rpId must be a domain')
  const stranger = hosts.find((host) => host !== id && !host.endsWith(`.${id}`))
  // An app for Android is tied to the domain by a file there, which the device checks.
  if (stranger !== undefined) throw wrong(`passkeys.rpId ${id} does not cover the origin on ${stranger}`)
  return { id, name: name ?? fallbackName, origins }
}

const readOrigin = (value: unknown): string => {
  if (typeof value !== 'string') throw wrong('passkeys.origins must be texts')
  if (ANDROID.test(value)) return value
  const url = URL.canParse(value) ? new URL(value) : null
  const isSafe =
    url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && LOCAL.has(url.hostname)))
  if (!isSafe || url.origin !== value)
    throw wrong(`${JSON.stringify(value)} is no origin such as https://shop.example.org`)
  return value
}

const wrong = (message: string): AppError => illegalArgument(message, 'passkeys')
