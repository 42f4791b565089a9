import { createHmac } from 'node:crypto'
import { type AttemptRule, afterFailure, waitFor } from '../../domain/attempts.js'
import { AppError } from '../../domain/errors.js'
import { fold } from '../../domain/text.js'
import type { AttemptStore } from '../../storage/attempts.js'
import { deriveKey } from '../auth/index.js'

export interface MailQuotaOptions {
  attempts: AttemptStore
  secret: Buffer
  /** UTC milliseconds. */
  clock: () => number
}

const HOUR = 3_600_000
/** Mails that may be asked for from one address in an hour, for whomever. */
const ADDRESS: AttemptRule = { failures: 30, memory: HOUR, since: 'first' }
/** Mails of one kind that are sent to one account in an hour, because somebody asked. */
const ACCOUNT: AttemptRule = { failures: 5, memory: HOUR, since: 'first' }

/** Mails that go to one e-mail address in an hour, for whatever account of whatever application. */
const RECEIVER: AttemptRule = { failures: 20, memory: HOUR, since: 'first' }
/** Mails to those whom one organization adds in an hour. */
const INVITATIONS: AttemptRule = { failures: 100, memory: HOUR, since: 'first' }

/** Keeps strangers from flooding somebody with mails. Processes on one PostgreSQL count together. */
export class MailQuota {
  readonly #options: MailQuotaOptions
  readonly #key: Buffer

  constructor(options: MailQuotaOptions) {
    this.#options = options
    this.#key = deriveKey(options.secret, 'mails')
  }

  /** Counts a request for a mail. @throws {AppError} `too_many_requests` */
  async ask(network: string | undefined): Promise<void> {
    if (network === undefined) return
    const wait = await this.#count(`address ${network}`, ADDRESS)
    if (wait > 0)
      throw new AppError('too_many_requests', 'Too many mails were asked for from this address', {
        retryAfter: Math.ceil(wait / 1000),
      })
  }

  /**
   * Counts a mail to an account; `false` when it must not be sent. Each kind by itself: whoever asks for one does not keep
   * the owner from another.
   */
  async mayMail(uuid: string, kind: string): Promise<boolean> {
    return (await this.#count(`account ${uuid} ${kind}`, ACCOUNT)) === 0
  }

  /** The same by e-mail address, whoever it is that causes the mail. */
  async mayReceive(address: string): Promise<boolean> {
    return (await this.#count(`receiver ${fold(address)}`, RECEIVER)) === 0
  }

  /** Counts a mail to somebody whom an organization added. */
  async mayInvite(organization: string): Promise<boolean> {
    return (await this.#count(`invitations ${organization}`, INVITATIONS)) === 0
  }

  /** Resolves with the milliseconds to wait; only what need not wait counts. */
  #count(what: string, rule: AttemptRule): Promise<number> {
    const key = createHmac('sha256', this.#key).update(what).digest('base64url')
    const now = this.#options.clock()
    return this.#options.attempts.change([key], ([known = null]) => {
      const result = waitFor(known, now)
      return { records: [result > 0 ? known : afterFailure(known, rule, now)], result }
    })
  }
}
