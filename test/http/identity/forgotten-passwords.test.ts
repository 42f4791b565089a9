import { describe, expect, it } from 'vitest'
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
    expect(fieldsIn(page.html).map(({ name }) => name)).toEqual(['token', 'password1', 'password2'])
    const set = (password1: string, password2 = password1) =>
      postForm(here(link), { token: link.searchParams.get('token')!, password1, password2 })
    expect((await set(NEW, 'another')).text).toContain("Passwords didn't match, let's try again...")
    expect((await set('short')).text).toContain('error_length_policy: must be at least 8 characters')
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
})
