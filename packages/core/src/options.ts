import { randomBytes } from 'node:crypto'
import type { Limits } from './domain/limits.js'
import type { Captcha, RegistrationOptions } from './features/accounts/index.js'
import type { HashCost, PasswordPolicy, SigningAlgorithm } from './features/auth/index.js'
import type { PasskeySettings } from './features/factors/index.js'
import type { Mailer } from './features/mail/index.js'
import type { RateLimits } from './features/rates/index.js'
import type { DatabaseOptions } from './storage/typeorm/open-database.js'

/** Where the engine writes what operators should know; a pino logger fits. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface EngineOptions extends DatabaseOptions {
  /** `sqlite:./data/entigrid.db`, `sqlite::memory:` or `postgres://...` */
  database: string
  /**
   * Key material for tokens and stored secrets, at least 32 characters; the same in every process and at
   * every start. Without it tokens end with the process, and client secrets cannot be read again.
   */
  secret?: string | undefined
  /** `usergrid` restores the original's open or odd defaults, and nothing else. */
  compatibility?: 'usergrid' | undefined
  /**
   * What access tokens are signed with: by default the secret (`HS256`), or a key pair, by whose public part others may
   * verify them. It has no effect in compatibility mode, whose tokens say nothing.
   */
  signing?: { algorithm: SigningAlgorithm } | undefined
  log?: Log | undefined
  /** UTC milliseconds. */
  clock?: (() => number) | undefined
  /** What a request may ask for, over HTTP and in process; see `LIMITS`. */
  limits?: Partial<Limits> | undefined
  /** Operations that are answered in a minute; 0 does not limit. See `DEFAULT_RATES`. */
  rates?: Partial<RateLimits> | undefined
  /** How long the change log is kept, in milliseconds; seven days by default. */
  changeLogRetention?: number | undefined
  /** Where passkeys of administrators work, and of users whose application does not say. */
  passkeys?: PasskeySettings | undefined
  /** Sends mails; by default they are written to the log, with their links. */
  mailer?: Mailer | undefined
  /** Where clients reach the server, for links in mails and for browsers that come back. No link is sent without it. */
  publicUrl?: string | undefined
  /** Lets requests to OpenID providers go to private networks, and over plain HTTP; see `guardedFetch`. */
  allowPrivateNetworks?: boolean | undefined
  /** How administrators and organizations begin. */
  registration?: RegistrationOptions | undefined
  /** Asked on pages that send mails. */
  captcha?: Captcha | undefined
  /** From where system administrators are let in: `local` is the machine of the server. */
  sysadmins?: 'anywhere' | 'local' | undefined
  /** What new passwords must have, of users of applications and of administrators; eight characters by default. */
  passwordPolicy?: { users?: Partial<PasswordPolicy>; admins?: Partial<PasswordPolicy> } | undefined
  /** Cost of password hashes; for tests. */
  passwordCost?: HashCost | undefined
}

export const SILENT: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** @throws {Error} for a secret that is too short. */
export const secretOf = (secret: string | undefined): Buffer => {
  if (secret === undefined) return randomBytes(32)
  if (Buffer.byteLength(secret) >= 32) return Buffer.from(secret)
  throw new Error('The secret is too short: use at least 32 characters')
}
