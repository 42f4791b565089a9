import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Mail, SmtpMailer } from '@entigrid/core'
import { describe, expect, it } from 'vitest'
import { type EngineSettings, run } from '../../../packages/server/src/commands.js'
import { openMailSink, parseMail, SENDER } from '../../support/mail-sink.js'

const MAIL: Mail = {
  to: 'mia@example.test',
  subject: 'Grüße\r\nBcc: eve@example.test',
  text: 'Ein langer Text. '.repeat(20) + 'https://api.example.test/x?token=ZW0tabc',
  html: '<p>Grüße</p>',
}

/** Starts the server as far as its engine, and stops it; resolves with what that was given. */
const start = async (args: string, env: Record<string, string> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'entigrid-mail-'))
  const told: string[] = []
  let settings: EngineSettings | undefined
  const code = await run(`start --database-url sqlite::memory: ${args}`.split(' '), {
    env: { ENTIGRID_LOG_LEVEL: 'silent', ...env },
    folder,
    version: '1.0.0',
    openEngine: async (given) => {
      settings = given
      throw Object.assign(new Error('the test has seen enough'), { name: 'DatabaseError' })
    },
    print: () => undefined,
    tell: (text) => told.push(text),
    stopped: Promise.resolve(),
  })
  return {
    code,
    told: told.join(''),
    settings,
    folder,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

describe('mails of the server', () => {
  it('go to the mail server of the settings, signed in, in one piece', async () => {
    const credentials: unknown[] = []
    await using sink = await openMailSink({
      allowInsecureAuth: true,
      authOptional: false,
      onAuth: ({ username, password }, _, done) => {
        credentials.push({ username, password })
        done(null, { user: username })
      },
    })
    const url = sink.url.replace('://', '://post%40example:p%3Aw@')
    using made = await start('--port 0', { ENTIGRID_MAIL: url, ENTIGRID_MAIL_FROM: SENDER })

    await made.settings!.mailer.send(MAIL)
    await made.settings!.mailer.close?.()

    expect(credentials).toEqual([{ username: 'post@example', password: 'p:w' }])
    const arrived = await sink.next('mia@example.test')
    expect(arrived.headers, 'of a subject with line breaks').not.toHaveProperty('bcc')
    expect(arrived).toMatchObject({
      headers: { from: SENDER, to: 'mia@example.test' },
      text: MAIL.text,
      html: MAIL.html,
    })
    expect(sink.mails).toHaveLength(1)
  })

  it('take an address with commas as one, which no server accepts', async () => {
    await using sink = await openMailSink()
    const mailer = new SmtpMailer({ url: sink.url, from: SENDER })

    await expect(mailer.send({ ...MAIL, to: 'mia@example.test, eve@example.test' })).rejects.toThrow()
    mailer.close()

    expect(sink.mails).toEqual([])
  })

  it('go into a folder, each in a file that only its owner reads', async () => {
    using made = await start('--port 0 --mail file:./mails')

    await made.settings!.mailer.send(MAIL)

    const [file, ...others] = readdirSync(join(made.folder, 'mails'))
    const path = join(made.folder, 'mails', file!)
    expect([others, statSync(path).mode & 0o777]).toEqual([[], 0o600])
    expect(file).toMatch(/\.eml$/)
    expect(parseMail(readFileSync(path, 'latin1').replaceAll(/\r?\n/g, '\r\n'))).toMatchObject({
      text: MAIL.text,
      html: MAIL.html,
    })
  })

  it('link to the server itself where only this machine reaches it, and else to what is set', async () => {
    const urls = []
    for (const args of [
      '--port 8123',
      '--port 8123 --host ::1',
      '--host 0.0.0.0',
      '--host 0.0.0.0 --public-url https://x.test',
    ]) {
      using made = await start(args)
      urls.push(made.settings?.publicUrl)
    }

    expect(urls).toEqual(['http://127.0.0.1:8123', 'http://[::1]:8123', undefined, 'https://x.test'])
  })

  it.each([
    ['--mail smtp://u:hunter2@mail.test', 'entigrid: mailFrom must be set where mails go to a mail server\n'],
    ['--mail mailto:hunter2', /^entigrid: --mail must be console, file:FOLDER, smtp:[^\n]*\n$/],
    [
      '--registration-approve-admins',
      'entigrid: sysadminEmail must be set with registration.approveAdmins\n',
    ],
    [
      '--captcha turnstile',
      'entigrid: captchaSiteKey and captchaSecret must be set where there is a captcha\n',
    ],
  ])('stop the start when the settings are %s, on one line', async (args, message) => {
    using made = await start(args)

    expect([made.code, made.settings]).toEqual([1, undefined])
    expect(made.told).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
    expect(made.told).not.toContain('hunter2')
  })
})
