import type { Application } from '../../api/caller.js'
import { AppError, illegalArgument } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Asked, CodeTry, GrantType, SigningIn, TokenApplication } from '../auth/index.js'
import type { CodeProof, Codes } from './codes.js'
import type { Factors } from './factors.js'
import { FactorEdits, type KeptFactors } from './kept.js'
import type { PasskeyProofs } from './passkey-proofs.js'
import { credentialId, requestOptions } from './passkeys.js'
import { labelOf, type Person } from './person.js'
import type { RelyingParties } from './relying-party.js'
import { isTicket, staleTicket, type Ticket, type Tickets } from './tickets.js'

export type Factor = 'totp' | 'recovery' | 'passkey'

/** What a sign-in takes after the first proof. */
export type SecondStep =
  | { step: 'none' }
  | { step: 'factor'; factors: Factor[] }
  /** He has no factor, and must set up one before anything else. */
  | { step: 'enrolment' }

export interface SecondStepsOptions {
  engine: Engine
  factors: Factors
  codes: Codes
  passkeys: PasskeyProofs
  parties: RelyingParties
  tickets: Tickets
  /** Verifies a code where tries are counted. @throws {AppError} `too_many_requests` */
  count: (codeTry: CodeTry) => Promise<boolean>
  /** Whether somebody must have a second factor. */
  isEnforced: (person: Person) => Promise<boolean>
  /** Number of the application that keeps administrators. */
  management: number
}

/** What comes between the first proof of who somebody is and his sign-in. */
export class SecondSteps {
  readonly #options: SecondStepsOptions

  constructor(options: SecondStepsOptions) {
    this.#options = options
  }

  /** What signing in takes of somebody beside the first proof: for pages that ask for it themselves. */
  async required(user: StoredEntity, app: TokenApplication | null): Promise<SecondStep> {
    const person = { user, app }
    const kept = await this.#options.factors.of(person)
    if (kept.areThere) return { step: 'factor', factors: this.#factorsIn(kept, person) }
    return { step: (await this.#options.isEnforced(person)) ? 'enrolment' : 'none' }
  }

  /**
   * Asks for the second step of a sign-in: takes a code that came with the first, or refuses with a ticket with
   * which to go on.
   * @throws {AppError} `second_factor_required`, `second_factor_enrolment_required`; `invalid_grant` for a wrong code,
   * `too_many_requests`.
   */
  async demand(user: StoredEntity, app: TokenApplication | null, signingIn: SigningIn): Promise<void> {
    const required = await this.required(user, app)
    if (required.step === 'none') return
    if (required.step === 'enrolment') throw this.#mustEnrol({ user, app }, signingIn)
    const proof = readCode(signingIn.fields ?? {})
    if (proof === null) throw await this.#mustProve({ user, app }, required.factors, signingIn)
    await this.proveCode(user, app, proof, signingIn.network)
  }

  /**
   * Takes a code, which is good once: for pages that ask for it themselves.
   * @throws {AppError} `invalid_grant` for a wrong one, `too_many_requests`.
   */
  async proveCode(
    user: StoredEntity,
    app: TokenApplication | null,
    proof: CodeProof,
    network: string | undefined,
    ticket: Ticket | null = null,
  ): Promise<void> {
    const { engine, codes, count } = this.#options
    const isRight = await count({
      user,
      network,
      verify: () =>
        engine.transact(user.app, labelOf({ user, app }), (edits) => {
          const factors = new FactorEdits(edits, user)
          if (ticket !== null && !factors.isGood(ticket)) return false
          return codes.take(factors, proof) && (ticket === null || factors.take(ticket))
        }),
    })
    if (!isRight) throw new AppError('invalid_grant', 'The code is wrong, over or was used')
  }

  /** `grant_type=second_factor`: goes on where a sign-in was refused for want of a second factor. */
  readonly secondFactorGrant: GrantType = async ({ fields, app, asked }, tokens) => {
    const { tickets } = this.#options
    const field = 'second_factor_token'
    const ticket = tickets.read(fields[field], 'second factor', this.#homeOf(app))
    const user = ticket === null ? null : await this.#userOf(ticket)
    if (ticket === null || user === null) throw staleTicket(field)
    tokens.checkState(user)
    const factor = await this.#prove({ user, app }, fields, ticket, asked.network)
    return tokens.signIn(user, app, completed(ticket, factor, asked))
  }

  /**
   * For sign-ins that go on: those from before a second factor was asked of everybody end with their access tokens. He
   * signs in again, and sets one up with that.
   * @throws {AppError} `second_factor_enrolment_required`
   */
  async checkRenewal(user: StoredEntity, app: TokenApplication | null): Promise<void> {
    const { step } = await this.required(user, app)
    if (step === 'enrolment')
      throw new AppError('second_factor_enrolment_required', 'Sign in again, to set up a second factor')
  }

  /**
   * For credentials that come with every request and have no room for a second step.
   * @throws {AppError} `second_factor_required`, `second_factor_enrolment_required` for those who need one.
   */
  async checkNone(user: StoredEntity, app: TokenApplication | null): Promise<void> {
    const { step } = await this.required(user, app)
    if (step === 'none') return
    const code = step === 'factor' ? 'second_factor_required' : 'second_factor_enrolment_required'
    throw new AppError(code, 'Basic credentials have no room for a second factor; ask for a token')
  }

  /** Whether a token lets somebody set up a first factor, and does nothing else; `null` for any other token. */
  enrols(token: string, app: Application | null): Promise<boolean> | null {
    if (!isTicket(token)) return null
    return this.enrolling(token, app?.id ?? this.#options.management).then((found) => found !== null)
  }

  /** The user that a text lets set up a first factor, with the ticket; `null` for any other text. */
  async enrolling(text: unknown, home: number): Promise<{ ticket: Ticket; user: StoredEntity } | null> {
    const { engine, factors, tickets } = this.#options
    const ticket = tickets.read(text, 'enrolment', home)
    const user = ticket === null ? null : await this.#userOf(ticket)
    if (ticket === null || user === null) return null
    const { disabled, activated } = user.object
    if (disabled === true || activated !== true || (await factors.of({ user })).areThere) return null
    const revoked = (await engine.store.dictionary(user, 'tokens')).get('since') ?? null
    return revoked === (ticket.asked?.revoked ?? null) ? { ticket, user } : null
  }

  #factorsIn(kept: KeptFactors, { app }: Person): Factor[] {
    const found: Factor[] = []
    if (kept.totp !== null) found.push('totp')
    if (kept.recoveryCodes > 0) found.push('recovery')
    if (kept.passkeys.length > 0 && this.#options.parties.find(app) !== null) found.push('passkey')
    return found
  }

  async #mustProve(person: Person, factors: Factor[], signingIn: SigningIn): Promise<AppError> {
    const { parties } = this.#options
    const { text, ticket } = this.#ticket('second factor', person, signingIn)
    const { passkeys } = await this.#options.factors.of(person)
    const passkey: JsonObject = factors.includes('passkey')
      ? { passkey: requestOptions(parties.get(person.app), passkeys, ticket.challenge, 'preferred') }
      : {}
    return new AppError('second_factor_required', 'Signing in takes a second factor', {
      more: { second_factor_token: text, factors, ...passkey },
    })
  }

  #mustEnrol(person: Person, signingIn: SigningIn): AppError {
    const { text } = this.#ticket('enrolment', person, signingIn)
    return new AppError(
      'second_factor_enrolment_required',
      'A second factor must be set up before signing in',
      {
        more: { second_factor_token: text },
      },
    )
  }

  #ticket(purpose: Ticket['purpose'], { user }: Person, signingIn: SigningIn) {
    const { ttl, refresh, how, revoked } = signingIn
    return this.#options.tickets.issue({
      purpose,
      home: user.app,
      user: user.uuid,
      asked: {
        how,
        ...(ttl === undefined || ttl === null ? {} : { ttl: Number(ttl) }),
        ...(refresh === undefined ? {} : { refresh }),
        revoked: revoked ?? null,
      },
    })
  }

  async #prove(
    person: Person,
    fields: JsonObject,
    ticket: Ticket,
    network: string | undefined,
  ): Promise<Factor> {
    const { passkey } = fields
    const code = readCode(fields)
    if (passkey !== undefined && passkey !== null) {
      const { response, id } = credentialId(passkey, 'passkey')
      await this.#options.passkeys.prove(person, { response, id, mustVerify: false }, ticket)
      return 'passkey'
    }
    if (code === null) throw illegalArgument('One of code, recovery_code and passkey is required', 'code')
    await this.proveCode(person.user, person.app, code, network, ticket)
    return code.kind
  }

  #homeOf(app: TokenApplication | null): number {
    return app === null ? this.#options.management : app.application.id
  }

  #userOf({ home, user }: Ticket): Promise<StoredEntity | null> {
    return user === null ? Promise.resolve(null) : this.#options.engine.store.get(home, 'users', user)
  }
}

/** The sign-in that a ticket stands for, now that it has its second step. */
export const completed = ({ asked }: Ticket, factor: Factor, request: Asked): SigningIn => ({
  ...request,
  ...asked,
  how: `${asked?.how ?? ''}+${factor}`,
  isComplete: true,
})

/** The code among fields, or `null` if there is none. @throws {AppError} `illegal_argument` for what is no text. */
const readCode = ({ code, recovery_code: recovery }: JsonObject): CodeProof | null => {
  const field = isThere(code) ? 'code' : 'recovery_code'
  const value = isThere(code) ? code : recovery
  if (!isThere(value)) return null
  if (typeof value !== 'string') throw illegalArgument(`The ${field} must be a text`, field)
  return { kind: field === 'code' ? 'totp' : 'recovery', code: value.trim() }
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null && value !== ''
