import { createHash } from 'node:crypto'
import { sameSecret } from '../../domain/credentials.js'
import { AppError } from '../../domain/errors.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { GrantType, SecretBox } from '../auth/index.js'
import { OneTimeTexts } from './one-time.js'

/** What a code stands for: somebody who proved who he is, and who may exchange it. */
export interface Code {
  /** Uuid of the user or administrator. */
  user: string
  /** What `Tokens.lastRevoked` said when he proved it. */
  revoked: string | null
  /** What he proved it with, as in `SigningIn`. */
  how: string
  /** Whether a second factor was proved already, as in `SigningIn`. */
  isComplete: boolean
  /** Where the browser takes the code. */
  redirectUri: string
  /** Base64url of the SHA-256 of the verifier that only the program that began the sign-in knows (RFC 7636). */
  challenge: string
  /** Of the program that asked, where it said so. */
  clientId: string | null
}

const CHALLENGE = /^[\w-]{43}$/
const VERIFIER = /^[\w.~-]{43,128}$/

/** Authorization codes: one use, ten minutes, one application, one program. */
export class Codes {
  readonly #texts: OneTimeTexts

  constructor(box: SecretBox) {
    this.#texts = new OneTimeTexts('code', box)
  }

  /** Lets a text of `newOneTimeText` stand for the code. */
  keep(edits: Edits, text: string, code: Code): void {
    this.#texts.keep(edits, text, { ...code })
  }

  take(edits: Edits, text: unknown): Code | null {
    return this.#texts.take(edits, text) as Code | null
  }
}

export interface CodeGrantOptions {
  engine: Engine
  codes: Codes
  /** Number of the application that keeps administrators. */
  management: number
}

/**
 * `grant_type=authorization_code`: the code, the address it came to, and the verifier. A code is used up also by a
 * request that proves nothing.
 */
export const codeGrant =
  ({ engine, codes, management }: CodeGrantOptions): GrantType =>
  async ({ fields, app, asked }, tokens) => {
    const { code: text, redirect_uri: redirectUri, code_verifier: verifier, client_id: clientId } = fields
    for (const name of ['code', 'redirect_uri', 'code_verifier'])
      if (typeof fields[name] !== 'string') throw new AppError('invalid_request', `${name} is required`)
    tokens.checkLifetime(app, asked)
    const home = app === null ? management : app.application.id
    const code = await engine.transact(home, null, (edits) => codes.take(edits, text))
    if (code === null || code.redirectUri !== redirectUri) throw badCode()
    if (!isVerified(code.challenge, String(verifier))) throw badCode()
    if (clientId !== undefined && code.clientId !== null && clientId !== code.clientId) throw badCode()
    const user = await engine.store.get(home, 'users', code.user)
    if (user === null) throw badCode()
    const { revoked, how, isComplete } = code
    // Without the fields: their code is no second factor.
    return tokens.signIn(user, app, { ...asked, how, revoked, isComplete })
  }

/** Whether the text can be a challenge of the method S256, the only one that proves anything. */
export const isChallenge = (text: unknown): text is string => typeof text === 'string' && CHALLENGE.test(text)

const isVerified = (challenge: string, verifier: string): boolean =>
  VERIFIER.test(verifier) && sameSecret(challenge, createHash('sha256').update(verifier).digest('base64url'))

const badCode = (): AppError => new AppError('invalid_grant', 'The code is wrong, over or was used')
