import type { Mail, Mailer } from './types.js'

/** Where mails are written to: a pino logger fits. */
export interface MailLog {
  info(fields: object, message: string): void
}

/** Writes mails to the log instead of sending them, links included: for trying things out. */
export class LogMailer implements Mailer {
  readonly #log: MailLog

  constructor(log: MailLog) {
    this.#log = log
  }

  async send({ to, subject, text }: Mail): Promise<void> {
    this.#log.info({ to, subject, text }, 'mail, written here because no mail server is set')
  }
}
