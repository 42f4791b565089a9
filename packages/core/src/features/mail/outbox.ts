import { isMailAddress } from '../../domain/account-names.js'
import type { Mail, Mailer } from './types.js'

export interface OutboxLog {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface OutboxOptions {
  mailer: Mailer
  log: OutboxLog
  /** Milliseconds that mails under way get when the outbox is closed; ten seconds when absent. */
  patience?: number | undefined
}

/** Mails and what leads to them, under way at a time; more are refused, so that memory stays bounded. */
const MAX_RUNNING = 1000

/**
 * Sends mails off the path of requests: nobody waits for a mail server, and no reply tells by its time whether a mail
 * was sent. What fails is logged; what is under way when the process dies is lost.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #running = new Set<Promise<void>>()

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  send(mail: Mail): void {
    const { mailer, log } = this.#options
    if (!isMailAddress(mail.to)) {
      log.warn({ subject: mail.subject }, 'a mail was not sent: its receiver has no valid e-mail address')
      return
    }
    this.run(mail.subject, () => mailer.send(mail))
  }

  /** Does what leads to a mail; `what` is for the log. Never throws. */
  run(what: string, work: () => Promise<void>): void {
    const { log } = this.#options
    if (this.#running.size >= MAX_RUNNING) {
      log.error({ mail: what }, 'a mail was not sent: too many are under way')
      return
    }
    const running = this.#guarded(what, work)
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
  }

  /** Resolves when nothing is under way, or what is left was given up, and lets go of the mail server. */
  async close(): Promise<void> {
    const { mailer, log, patience = 10_000 } = this.#options
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience)
    })
    await Promise.race([this.#drained(), over])
    clearTimeout(timer)
    const left = this.#running.size
    if (left > 0) log.error({ left }, 'mails were given up: the mail server does not take them in time')
    await mailer.close?.()
  }

  async #drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      // Begins after the caller has gone on, so that its time is the same whatever comes.
      await new Promise((resolve) => setImmediate(resolve))
      await work()
    } catch (err) {
      this.#options.log.error({ err, mail: what }, 'a mail could not be sent')
    }
  }
}
