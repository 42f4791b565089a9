import { type AppError, illegalArgument, resourceNotFound } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import { toBase32 } from './base32.js'
import type { Codes } from './codes.js'
import { FACTORS, FactorEdits, KeptFactors, type KeptPasskey } from './kept.js'
import { creationOptions, newChallenge, readCreated } from './passkeys.js'
import type { Person } from './person.js'
import { hashRecoveryCode, newRecoveryCodes } from './recovery-codes.js'
import type { RelyingParties } from './relying-party.js'
import { staleTicket, type Ticket } from './tickets.js'
import { totpUri } from './totp.js'

export interface FactorsOptions {
  engine: Engine
  codes: Codes
  parties: RelyingParties
  /** Called when the factors of somebody in that application changed. */
  forget: (app: number) => void
}

/** Milliseconds that setting up a factor may take. */
const SETUP = 600_000
const MAX_PASSKEYS = 20
const MAX_NAME = 100

/** Second factors of users and administrators: what they have, set up, and remove. They are kept beside the user. */
export class Factors {
  readonly #engine: Engine
  readonly #codes: Codes
  readonly #parties: RelyingParties
  readonly #forget: (app: number) => void

  constructor({ engine, codes, parties, forget }: FactorsOptions) {
    this.#forget = forget
    this.#engine = engine
    this.#codes = codes
    this.#parties = parties
  }

  async of({ user }: Pick<Person, 'user'>): Promise<KeptFactors> {
    return new KeptFactors(await this.#engine.store.dictionary(user, FACTORS))
  }

  /** What may be shown of them. */
  async show(person: Person): Promise<JsonObject> {
    const { totp, pending, passkeys, recoveryCodes } = await this.of(person)
    const app = totp ?? pending
    return {
      totp: app === null ? null : { confirmed: totp !== null, created: app.created },
      passkeys: passkeys.map(({ id, name, created, used }) => ({ id, name, created, used })),
      recoveryCodes,
    }
  }

  /** Offers a secret to an authenticator app; one that was confirmed before counts until this is, too. */
  async beginTotp(by: string, person: Person): Promise<{ secret: string; uri: string }> {
    const { user, app } = person
    const { secret, sealed } = this.#codes.newSecret()
    await this.#change(by, person, (factors) => factors.setPending({ sealed, created: factors.now }))
    const uri = totpUri(secret, this.#parties.nameFor(app), String(user.object['username']))
    return { secret: toBase32(secret), uri }
  }

  /**
   * Lets the offered secret count, once a code shows that the app has it. Takes the ticket with it, where there is
   * one; returns new recovery codes, which replace all others.
   * @throws {AppError} `illegal_argument` for a wrong code, `invalid_grant` for a ticket that was taken.
   */
  confirmTotp(by: string, person: Person, code: string, ticket: Ticket | null): Promise<string[]> {
    const codes = newRecoveryCodes()
    return this.#change(by, person, (factors) => {
      const { pending } = factors.kept
      if (pending === null || factors.now - pending.created > SETUP)
        throw illegalArgument('There is no authenticator app to be confirmed; begin again', 'code')
      take(factors, ticket)
      if (!this.#codes.confirm(factors, pending, code)) throw illegalArgument('The code is wrong', 'code')
      factors.setRecoveryCodes(codes.map(hashed))
      return codes
    })
  }

  /** @throws {AppError} `service_resource_not_found` when there is none. */
  async removeTotp(by: string, person: Person): Promise<void> {
    await this.#change(by, person, (factors) => {
      if (factors.kept.totp === null && factors.kept.pending === null) throw resourceNotFound()
      factors.setTotp(null)
      factors.setPending(null)
      tidy(factors)
    })
  }

  /** Ten new recovery codes, which replace all others. @throws {AppError} `illegal_argument` without any factor. */
  newRecoveryCodes(by: string, person: Person): Promise<string[]> {
    const codes = newRecoveryCodes()
    return this.#change(by, person, (factors) => {
      if (!factors.kept.areThere)
        throw illegalArgument('Recovery codes stand in for another factor; set up one first')
      factors.setRecoveryCodes(codes.map(hashed))
      return codes
    })
  }

  /** What a browser needs to make a passkey. @throws {AppError} `invalid_request` where they are not configured. */
  async passkeyOptions(by: string, person: Person): Promise<JsonObject> {
    const party = this.#parties.get(person.app)
    const challenge = newChallenge()
    const passkeys = await this.#change(by, person, (factors) => {
      const known = factors.kept.passkeys
      if (known.length >= MAX_PASSKEYS) throw illegalArgument(`There are at most ${MAX_PASSKEYS} passkeys`)
      factors.setChallenge({ challenge, expires: factors.now + SETUP })
      return known
    })
    return creationOptions(party, person.user, passkeys, challenge)
  }

  /**
   * Adds the passkey that a browser has made, and takes the ticket with it, where there is one. With recovery codes,
   * when there were none.
   * @throws {AppError} `illegal_argument` for whatever was not asked for, `invalid_grant` for a ticket that was taken.
   */
  async addPasskey(
    by: string,
    person: Person,
    { response, name }: { response: JsonObject; name: unknown },
    ticket: Ticket | null,
  ): Promise<{ passkey: JsonObject; recoveryCodes: string[] | null }> {
    const shown = readName(name)
    const party = this.#parties.get(person.app)
    const asked = (await this.of(person)).challenge
    if (asked === null) throw notAsked()
    const made = await readCreated(party, response, asked.challenge)
    const codes = newRecoveryCodes()
    return this.#change(by, person, (factors) => {
      const { challenge, passkeys, recoveryCodes } = factors.kept
      if (challenge?.challenge !== asked.challenge || challenge.expires <= factors.now) throw notAsked()
      factors.setChallenge(null)
      take(factors, ticket)
      if (passkeys.length >= MAX_PASSKEYS) throw illegalArgument(`There are at most ${MAX_PASSKEYS} passkeys`)
      const passkey: KeptPasskey = { ...made, name: shown, created: factors.now, used: null }
      factors.setPasskey(passkey)
      if (recoveryCodes === 0) factors.setRecoveryCodes(codes.map(hashed))
      const { id, created, used } = passkey
      return {
        passkey: { id, name: shown, created, used },
        recoveryCodes: recoveryCodes === 0 ? codes : null,
      }
    })
  }

  /** @throws {AppError} `service_resource_not_found` when there is none with this id. */
  async removePasskey(by: string, person: Person, id: string): Promise<void> {
    await this.#change(by, person, (factors) => {
      if (factors.kept.passkey(id) === null) throw resourceNotFound()
      factors.removePasskey(id)
      tidy(factors)
    })
  }

  /** Removes whatever there is. */
  async removeAll(by: string, person: Person): Promise<void> {
    await this.#change(by, person, (factors) => factors.removeAll())
  }

  #change<T>(by: string, { user }: Person, work: (factors: FactorEdits) => T): Promise<T> {
    return this.#engine.transact(user.app, by, (edits) => {
      edits.afterCommit(() => this.#forget(user.app))
      return work(new FactorEdits(edits, user))
    })
  }
}

/** Takes the ticket that sets up a first factor. @throws {AppError} `invalid_grant` when it is not good, or there is one. */
const take = (factors: FactorEdits, ticket: Ticket | null): void => {
  if (ticket === null) return
  if (factors.kept.areThere || !factors.take(ticket)) throw staleTicket('second_factor_token')
}

/** Recovery codes stand in for a factor: without any they would be the only one. */
const tidy = (factors: FactorEdits): void => {
  if (!factors.kept.areThere) factors.setRecoveryCodes([])
}

const hashed = (code: string): string => hashRecoveryCode(code)!

const readName = (name: unknown): string => {
  if (name === undefined || name === null || name === '') return 'Passkey'
  if (typeof name !== 'string' || name.length > MAX_NAME)
    throw illegalArgument(`The name must be a text of at most ${MAX_NAME} characters`, 'name')
  return name
}

const notAsked = (): AppError => illegalArgument('No passkey was asked for; begin again', 'response')
