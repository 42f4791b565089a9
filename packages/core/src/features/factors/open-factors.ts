import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { CodeTry } from '../auth/index.js'
import { Codes } from './codes.js'
import { enforcement } from './enforcement.js'
import { Factors } from './factors.js'
import { PasskeyProofs } from './passkey-proofs.js'
import { PasskeySignIn } from './passkey-sign-in.js'
import { type PasskeySettings, RelyingParties } from './relying-party.js'
import { SecondSteps } from './second-steps.js'
import { Tickets } from './tickets.js'

export interface FactorRoomOptions {
  engine: Engine
  /** The installation's, from which keys are derived. */
  secret: Buffer
  /** UTC milliseconds. */
  clock: () => number
  /** Number of the application that keeps administrators. */
  management: number
  /** Verifies a code where tries are counted. @throws {AppError} `too_many_requests` */
  count: (codeTry: CodeTry) => Promise<boolean>
  /** Those that may ask something of an administrator who signs in. */
  organizationsOf: (admin: StoredEntity) => Promise<StoredEntity[]>
  /** Called when the factors of somebody in that application changed. */
  forget: (app: number) => void
  /** Of administrators, and of applications that say nothing themselves; by default they follow from `publicUrl`. */
  passkeys?: PasskeySettings | undefined
  publicUrl?: string | undefined
}

export interface FactorRoom {
  factors: Factors
  steps: SecondSteps
  passkeySignIn: PasskeySignIn
}

/** Second factors, the second step of every sign-in, and sign-ins with a passkey. */
export const openFactors = (options: FactorRoomOptions): FactorRoom => {
  const { engine, secret, clock, management, count } = options
  const codes = new Codes(secret)
  const parties = new RelyingParties(options.passkeys, options.publicUrl)
  const factors = new Factors({ engine, codes, parties, forget: options.forget })
  const passkeys = new PasskeyProofs({ engine, factors, parties })
  const shared = { engine, passkeys, parties, tickets: new Tickets({ secret, clock }), management }
  const isEnforced = enforcement(options.organizationsOf)
  const steps = new SecondSteps({ ...shared, factors, codes, count, isEnforced })
  return { factors, steps, passkeySignIn: new PasskeySignIn(shared) }
}
