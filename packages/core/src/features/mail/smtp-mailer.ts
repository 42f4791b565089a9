import { createTransport } from 'nodemailer'
import type { Mail, Mailer } from './types.js'

export interface SmtpOptions {
  /** `smtp://USER:PASSWORD@HOST:PORT`, or `smtps://...` for a server that speaks TLS from the start. */
  url: string
  /** The sender: `Entigrid <noreply@example.com>`. */
  from: string
}

/** Milliseconds that a mail server may take to be reached, to greet, and to say the next thing. */
const TIMEOUTS = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 }
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * Sends over SMTP. With `smtp:` the connection is encrypted where the server offers it, and must be where a password is
 * sent to another machine.
 */
export class SmtpMailer implements Mailer {
  readonly #transport: ReturnType<typeof createTransport>
  readonly #from: string

  /** @throws {Error} for a URL that is none of a mail server. */
  constructor({ url, from }: SmtpOptions) {
    this.#transport = createTransport({ ...TIMEOUTS, ...settingsOf(url), pool: true, maxConnections: 3 })
    this.#from = from
  }

  async send({ to, ...mail }: Mail): Promise<void> {
    // As an object the address is one, whatever signs are in it.
    await this.#transport.sendMail({ ...mail, to: { name: '', address: to }, from: this.#from, ...NO_FILES })
  }

  close(): void {
    this.#transport.close({ force: true })
  }
}

/** Nothing of a mail is read from files or fetched. */
export const NO_FILES = { disableFileAccess: true, disableUrlAccess: true }

const settingsOf = (text: string) => {
  // The text has a password, which no message may show.
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '')
    throw new Error('A mail server must be given as smtp://USER:PASSWORD@HOST:PORT or smtps://...')
  const { protocol, hostname, port, username, password } = url
  const secure = protocol === 'smtps:'
  const hasPassword = username !== ''
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: !secure && hasPassword && !LOOPBACK.test(hostname),
    ...(hasPassword && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
  }
}
