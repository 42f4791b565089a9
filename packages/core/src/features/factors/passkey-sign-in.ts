import type { JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import type { GrantType, TokenApplication } from '../auth/index.js'
import { notAccepted, type PasskeyProofs } from './passkey-proofs.js'
import { credentialId, passkeyUser, requestOptions } from './passkeys.js'
import type { RelyingParties } from './relying-party.js'
import { staleTicket, type Tickets } from './tickets.js'

export interface PasskeySignInOptions {
  engine: Engine
  passkeys: PasskeyProofs
  parties: RelyingParties
  tickets: Tickets
  /** Number of the application that keeps administrators. */
  management: number
}

/** Signing in with a passkey alone. */
export class PasskeySignIn {
  readonly #options: PasskeySignInOptions

  constructor(options: PasskeySignInOptions) {
    this.#options = options
  }

  /** What `POST .../auth/passkey/options` answers. @throws {AppError} `invalid_request` without passkeys. */
  begin(app: TokenApplication | null): JsonObject {
    const { parties, tickets } = this.#options
    const party = parties.get(app)
    const asking = { purpose: 'passkey', home: this.#homeOf(app), user: null, asked: null } as const
    const { text, ticket } = tickets.issue(asking)
    return { options: requestOptions(party, [], ticket.challenge, 'required'), token: text }
  }

  /** `grant_type=passkey`: by somebody who unlocked it, which makes it as good as two factors. */
  readonly grant: GrantType = async ({ fields, app, asked }, tokens) => {
    const { engine, passkeys, tickets } = this.#options
    const { response, id } = credentialId(fields['response'], 'response')
    const home = this.#homeOf(app)
    const ticket = tickets.read(fields['token'], 'passkey', home)
    if (ticket === null) throw staleTicket('token')
    const uuid = passkeyUser(response)
    const user = uuid === null ? null : await engine.store.get(home, 'users', uuid)
    if (user === null) throw notAccepted()
    const revoked = await tokens.lastRevoked(user)
    await passkeys.prove({ user, app }, { response, id, mustVerify: true }, ticket)
    return tokens.signIn(user, app, { ...asked, how: 'passkey', revoked, isComplete: true })
  }

  #homeOf(app: TokenApplication | null): number {
    return app === null ? this.#options.management : app.application.id
  }
}
