import { randomBytes } from 'node:crypto'
import { AppError } from '../../domain/errors.js'
import { isJsonObject } from '../../domain/json.js'
import { type SecretBox, type SigningIn, secretBox } from '../auth/index.js'

/** What a ticket is good for: the second step of a sign-in, setting up a first factor, or a passkey alone. */
export type Purpose = 'second factor' | 'enrolment' | 'passkey'

export interface Ticket {
  purpose: Purpose
  /** Number of the application that it is for; of the management application for administrators. */
  home: number
  /** Uuid of whoever has taken the first step; `null` before anybody has. */
  user: string | null
  /** Names the ticket, so that it is taken once. */
  nonce: string
  /** What a passkey must sign, base64url. */
  challenge: string
  /** UTC milliseconds. */
  issuedAt: number
  expires: number
  /** What the sign-in is to be like; `null` before anybody asked for one. */
  asked: Pick<SigningIn, 'how' | 'ttl' | 'refresh' | 'revoked'> | null
}

export type NewTicket = Pick<Ticket, 'purpose' | 'home' | 'user' | 'asked'>

const TTL = 600_000
/** Base64 of `2f-`: clients tell by such tags what they hold. */
const TAG = 'MmYt'
const MAX_LENGTH = 8192
const FORM = /^v1\.[\w-]+$/

/**
 * Texts that carry a sign-in from its first step to its second, for ten minutes. They are sealed, not stored: who
 * takes one notes its nonce beside the user, so that it is taken once.
 */
export class Tickets {
  readonly #box: SecretBox
  readonly #clock: () => number

  constructor({ secret, clock }: { secret: Buffer; clock: () => number }) {
    this.#box = secretBox(secret, 'second steps')
    this.#clock = clock
  }

  issue(made: NewTicket): { text: string; ticket: Ticket } {
    const issuedAt = this.#clock()
    const ticket = {
      ...made,
      nonce: randomBytes(16).toString('base64url'),
      challenge: randomBytes(32).toString('base64url'),
      issuedAt,
      expires: issuedAt + TTL,
    }
    return { text: TAG + this.#box.seal(JSON.stringify(ticket)), ticket }
  }

  /** The ticket, when it is ours, for this purpose and application, and not over; else `null`. */
  read(text: unknown, purpose: Purpose, home: number): Ticket | null {
    if (!isTicket(text)) return null
    const ticket = this.#open(text)
    if (ticket === null || ticket.purpose !== purpose || ticket.home !== home) return null
    return this.#clock() < ticket.expires ? ticket : null
  }

  #open(text: string): Ticket | null {
    const sealed = text.slice(TAG.length)
    if (text.length > MAX_LENGTH || !FORM.test(sealed)) return null
    try {
      const ticket: unknown = JSON.parse(this.#box.open(sealed))
      return isJsonObject(ticket) ? (ticket as unknown as Ticket) : null
    } catch {
      return null
    }
  }
}

/** Whether a text claims to be a ticket, which no access token does. */
export const isTicket = (text: unknown): text is string => typeof text === 'string' && text.startsWith(TAG)

export const staleTicket = (field: string): AppError =>
  new AppError('invalid_grant', `The ${field} is wrong, over or was used; begin the sign-in again`)
