import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type Mailer, SmtpMailer } from '@entigrid/core'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterAll, beforeAll } from 'vitest'

/** A mail as it arrived. */
export interface ArrivedMail {
  /** Of the envelope. */
  to: string
  /** Headers by name in lower case, unfolded. */
  headers: Record<string, string>
  text: string
  html: string
}

export interface MailSink extends AsyncDisposable {
  /** `smtp://127.0.0.1:port` */
  url: string
  /** Every mail that arrived, in order. */
  mails: ArrivedMail[]
  /** The next mail to somebody that was not taken yet, once it is there. */
  next(to: string, subject?: string): Promise<ArrivedMail>
  /** The address that the next mail to somebody leads to. */
  link(to: string, subject?: string): Promise<URL>
  close(): Promise<void>
}

/** A real SMTP server on loopback that keeps what it gets. */
export const openMailSink = async (options: SMTPServerOptions = {}): Promise<MailSink> => {
  const mails: ArrivedMail[] = []
  const taken = new Set<ArrivedMail>()
  const arrivals = new EventEmitter()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('latin1')
        for (const { address } of envelope.rcptTo) mails.push({ to: address, ...parseMail(raw) })
        done()
        arrivals.emit('mail')
      })
    },
    ...options,
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.server.address() as AddressInfo
  const next = async (to: string, subject?: string): Promise<ArrivedMail> => {
    for (;;) {
      const found = mails.find(
        (mail) =>
          !taken.has(mail) &&
          mail.to === to &&
          (subject === undefined || mail.headers['subject'] === subject),
      )
      if (found !== undefined) {
        taken.add(found)
        return found
      }
      await once(arrivals, 'mail')
    }
  }
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    next,
    link: async (to, subject) => linkIn(await next(to, subject)),
    close,
    [Symbol.asyncDispose]: close,
  }
}

export const SENDER = 'Entigrid <no-reply@example.test>'

/** One sink for the tests of a `describe`, and what sends to it over SMTP. */
export const sharedSink = () => {
  let sink: MailSink
  let smtp: SmtpMailer | undefined
  beforeAll(async () => {
    sink = await openMailSink()
  })
  afterAll(() => sink.close())
  const mailer: Mailer = {
    send: (mail) => {
      smtp ??= new SmtpMailer({ url: sink.url, from: SENDER })
      return smtp.send(mail)
    },
    close: () => smtp?.close(),
  }
  return {
    mailer,
    get mails() {
      return sink.mails
    },
    next: (to: string, subject?: string) => sink.next(to, subject),
    link: (to: string, subject?: string) => sink.link(to, subject),
  }
}

/** The only address in a mail. */
export const linkIn = ({ text }: { text: string }): URL => {
  const [link, ...others] = text.match(/https?:\/\/\S+/g) ?? []
  if (link === undefined || others.length > 0) throw new Error(`Not one link in: ${text}`)
  return new URL(link)
}

/** Reads a mail of two alternatives; `raw` has one character for each byte. */
export const parseMail = (raw: string): Omit<ArrivedMail, 'to'> => {
  const { headers, body } = partOf(raw)
  const boundary = /boundary="?([^";]+)"?/.exec(headers['content-type'] ?? '')?.[1]
  const parts = boundary === undefined ? [raw] : `\r\n${body}`.split(`\r\n--${boundary}`).slice(1, -1)
  const found = { text: '', html: '' }
  for (const part of parts) {
    const { headers: own, body: content } = partOf(part.replace(/^\r\n/, ''))
    const kind = own['content-type']?.startsWith('text/html') ? 'html' : 'text'
    found[kind] = decode(content, own['content-transfer-encoding']).replaceAll('\r\n', '\n')
  }
  return { headers, ...found }
}

const partOf = (raw: string): { headers: Record<string, string>; body: string } => {
  const at = raw.indexOf('\r\n\r\n')
  const lines = raw
    .slice(0, at)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const headers = lines.map((line) => /^([^:]+):\s*(.*)$/.exec(line)).filter((match) => match !== null)
  return {
    headers: Object.fromEntries(headers.map(([, name, value]) => [name!.toLowerCase(), value!])),
    body: raw.slice(at + 4),
  }
}

const decode = (text: string, encoding = '7bit'): string => {
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString('utf8')
  if (encoding !== 'quoted-printable') return Buffer.from(text, 'latin1').toString('utf8')
  const bytes = text
    .replaceAll('=\r\n', '')
    .replaceAll(/=([\dA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
