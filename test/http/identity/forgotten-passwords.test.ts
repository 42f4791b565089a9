import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { siteVerifyCaptcha } from '@entigrid/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer } from '../../support/application.js'
import { SENDER, sharedSink } from '../../support/mail-sink.js'
import { fieldsIn, postForm, readPage } from '../../support/pages.js'

const PUBLIC = 'https://api.example.test/base'
const NEW = 'a wholly new password'

describe('forgotten passwords', () => {
  const sink = sharedSink()
  const shared = sharedServer('sqlite', { publicUrl: PUBLIC, mailer: sink.mailer })
  /** Where a link of a mail is on this server. */
  const here = (link: URL): string => link.href.replace(PUBLIC, shared.url)

  it('of administrators are replaced by whoever reads the mail, once', async () => {
    const { owner, management, as } = await shared.application()
    const form = await readPage(`${shared.url}/management/users/resetpw`)
    expect(fieldsIn(form.html)).toEqual([{ name: 'email', type: 'email' }])

    const asked = await postForm(`${shared.url}/management/users/resetpw`, {
      email: owner.email.toUpperCase(),
    })
    expect([asked.status, asked.text]).toEqual([
      200,
      expect.stringContaining(`sent to ${owner.email.toUpperCase()}`),
    ])
    const mail = await sink.next(owner.email)
    expect(mail.headers).toMatchObject({ subject: 'Password Reset', from: SENDER })
    const link = new URL(/https:\S+/.exec(mail.text)![0])
    expect(link.href).toMatch(
      new RegExp(`^${PUBLIC}/management/users/${owner.uuid}/resetpw\\?token=ZW0t[\\w-]{48}$`),
    )
    expect(mail.html).toContain(`<a href="${link.href}">`)

    const page = await readPage(here(link))
    expect(fieldsIn(page.html).map(({ name }) => name)).toEqual([
      'token',
      'username',
      'password1',
      'password2',
    ])
    const set = (password1: string, password2 = password1) =>
      postForm(here(link), { token: link.searchParams.get('token')!, password1, password2 })
    expect((await set(NEW, 'another')).text).toContain("Passwords didn't match, let's try again...")
    expect((await set('short')).text).toContain('Choose another password: must be at least 8 characters')
    expect((await set(NEW)).text).toContain(`New password set for ${owner.email}`)
    expect((await set('yet another password')).text).toContain('Sorry, you have an invalid token')

    const signIn = (password: string) =>
      as(undefined, '').post('/management/token', {
        grant_type: 'password',
        username: owner.username,
        password,
      })
    expect([(await signIn(NEW)).status, (await signIn(PASSWORD)).status]).toEqual([200, 400])
    expect((await management.get('/management/me')).status, 'tokens from before').toBe(401)
  })

  it('of app users are replaced in the same way, and other links end', async () => {
    const app = await shared.application()
    const email = `mia@${app.organization}.test`
    const mia = await app.signedUp('mia', { email })
    const base = `${shared.url}/${app.name}/users`

    await postForm(`${base}/resetpw`, { email })
    await postForm(`${base}/mia/resetpw`, {})
    const [link, other] = [await sink.link(email), await sink.link(email)]
    expect(link.pathname).toBe(`/base/${app.name}/users/${mia.uuid}/resetpw`)
    const token = link.searchParams.get('token')!
    const done = await app.post(`/users/${mia.uuid}/resetpw`, { token, password1: NEW, password2: NEW })

    expect(done.body).toEqual({ action: 'set user password', status: 'ok' })
    expect(
      (await app.post('/token', { grant_type: 'password', username: 'mia', password: NEW })).status,
    ).toBe(200)
    expect((await readPage(here(other))).text).toContain('Sorry, you have an invalid token')
  })

  it('end links when the password or the e-mail address is changed', async () => {
    const app = await shared.application()
    const email = `tom@${app.organization}.test`
    const tom = await app.signedUp('tom', { email, confirmed: true })
    const ask = async (to = email) => {
      await app.post('/users/resetpw', { email: to })
      return here(await sink.link(to))
    }

    const [first] = [await ask()]
    await tom.put('/users/me/password', { oldpassword: PASSWORD, newpassword: NEW })
    const second = await ask()
    const changed = await app.admin.put('/users/tom', { email: `new-${email}` })

    expect((await readPage(first)).text).toContain('Sorry, you have an invalid token')
    expect((await readPage(second)).text).toContain('Sorry, you have an invalid token')
    expect(changed.body.entities[0]).not.toHaveProperty('confirmed')
    expect((await readPage(await ask(`new-${email}`))).text).toContain('New password')
  })

  it('confirm, too, for who has yet to do so', async () => {
    const app = await shared.application()
    const email = `eva@${app.organization}.test`
    await app.admin.put('', { registration_requires_email_confirmation: true })
    await app.post('/users', { username: 'eva', email })

    await app.post('/users/resetpw', { email })
    const link = await sink.link(email, 'Password Reset')
    const token = link.searchParams.get('token')!
    await app.post(link.pathname.slice(`/base/${app.name}`.length), { token, password1: NEW, password2: NEW })

    expect(
      (await app.post('/token', { grant_type: 'password', username: 'eva', password: NEW })).status,
    ).toBe(200)
  })
})

describe('pages for forgotten passwords', () => {
  const sink = sharedSink()
  const asked: Record<string, string>[] = []
  const captchas = createServer(async (req, res) => {
    const fields = Object.fromEntries(new URLSearchParams(await text(req)))
    asked.push(fields)
    res.end(JSON.stringify({ success: fields['response'] === 'human' }))
  })
  beforeAll(() => once(captchas.listen(0, '127.0.0.1'), 'listening'))
  afterAll(() => once(captchas.close(), 'close'))
  const shared = sharedServer('memory', {
    publicUrl: PUBLIC,
    mailer: sink.mailer,
    captcha: {
      siteKey: 'site"key',
      verify: (response, address) => {
        const { port } = captchas.address() as AddressInfo
        const url = `http://127.0.0.1:${port}`
        return siteVerifyCaptcha({ siteKey: '', secret: 'hush', url }).verify(response, address)
      },
    },
  })

  it('take a captcha where there is one', async () => {
    const { owner } = await shared.application()
    const url = `${shared.url}/management/users/resetpw`

    const page = await readPage(url)
    expect(page.html).toContain('<div class="g-recaptcha" data-sitekey="site&quot;key"></div>')
    expect(page.headers.get('content-security-policy')).toContain('script-src https://www.google.com ')
    const answers = []
    const forms: Record<string, string>[] = [
      {},
      { recaptcha_response_field: 'robot' },
      { 'g-recaptcha-response': 'human' },
    ]
    for (const given of forms) answers.push((await postForm(url, { email: owner.email, ...given })).text)
    await sink.next(owner.email)

    expect(answers.map((answer) => answer.includes('Incorrect Captcha, try again...'))).toEqual([
      true,
      true,
      false,
    ])
    expect(asked).toEqual([
      { secret: 'hush', response: 'robot', remoteip: '127.0.0.1' },
      { secret: 'hush', response: 'human', remoteip: '127.0.0.1' },
    ])
    expect(sink.mails).toHaveLength(1)
  })

  it('run nothing, fit into no frame, are not kept, and keep their address to themselves', async () => {
    const app = await shared.application()
    const { headers, html } = await readPage(
      `${shared.url}/${app.name}/users/mia/resetpw?token=%22%3E%3Cscript%3E`,
    )

    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; .*form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    )
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    expect(html).not.toContain('"><script>')
  })

  it('can be read by everybody: a language, a title, a label for each field, problems that are announced', async () => {
    const { html } = await postForm(`${shared.url}/management/users/resetpw`, { email: '' })

    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/)
    expect(html).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">')
    expect(html).toContain('<h1>Forgotten password</h1>')
    expect(html).toContain('<div id="problem"><p role="alert">No email provided, try again...</p></div>')
    expect(html).toMatch(
      /<label for="email">[^<]+<\/label>\n<input id="email" [^>]*aria-describedby="problem">/,
    )
  })
})
