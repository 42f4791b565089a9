import { AppError } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import type { Factors } from './factors.js'
import { FactorEdits } from './kept.js'
import { readSigned } from './passkeys.js'
import { labelOf, type Person } from './person.js'
import type { RelyingParties } from './relying-party.js'
import type { Ticket } from './tickets.js'

export interface PasskeyProofsOptions {
  engine: Engine
  factors: Factors
  parties: RelyingParties
}

/** What a browser answered. */
export interface Signed {
  response: JsonObject
  /** Of the credential. */
  id: string
  /** Whether the device must have asked who uses it. */
  mustVerify: boolean
}

/** Takes what was signed with passkeys, each answer once. */
export class PasskeyProofs {
  readonly #options: PasskeyProofsOptions

  constructor(options: PasskeyProofsOptions) {
    this.#options = options
  }

  /** Takes the ticket, whose challenge was signed. @throws {AppError} `invalid_grant` */
  async prove(person: Person, { response, id, mustVerify }: Signed, ticket: Ticket): Promise<void> {
    const { engine, factors, parties } = this.#options
    const passkey = (await factors.of(person)).passkey(id)
    if (passkey === null) throw notAccepted()
    const party = parties.get(person.app)
    const counter = await readSigned(party, response, passkey, ticket.challenge, mustVerify)
    if (counter === null) throw notAccepted()
    const isTaken = await engine.transact(person.user.app, labelOf(person), (edits) => {
      const current = new FactorEdits(edits, person.user)
      const now = current.kept.passkey(id)
      // Whoever has an older count has a copy of it.
      const isStale = now === null || (now.counter > 0 && counter <= now.counter)
      if (isStale || !current.take(ticket)) return false
      current.setPasskey({ ...now, counter, used: current.now })
      return true
    })
    if (!isTaken) throw notAccepted()
  }
}

export const notAccepted = (): AppError => new AppError('invalid_grant', 'The passkey was not accepted')
