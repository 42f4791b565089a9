import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer } from '../../support/application.js'
import { sharedSink } from '../../support/mail-sink.js'
import { followed, readPage } from '../../support/pages.js'

const PUBLIC = 'https://api.example.test'
const SYSADMIN = 'sysadmin@example.test'

describe('users of an application', () => {
  const sink = sharedSink()
  const shared = sharedServer('sqlite', { publicUrl: PUBLIC, mailer: sink.mailer })
  const follow = (link: URL) => followed(link.href.replace(PUBLIC, shared.url))
  /** An application with these properties, and how to sign up and in. */
  const registering = async (properties: object) => {
    const app = await shared.application()
    await app.admin.put('', properties)
    const mail = (name: string) => `${name}@${app.organization}.test`
    return {
      ...app,
      mail,
      signUp: (username: string, more: object = {}, as = app.as()) =>
        as.post('/users', { username, email: mail(username), password: PASSWORD, ...more }),
      signIn: (username: string) =>
        app.post('/token', { grant_type: 'password', username, password: PASSWORD }),
    }
  }

  it('who must confirm sign in once they have followed the link of the mail', async () => {
    const app = await registering({ registration_requires_email_confirmation: true })

    const { entities } = (await app.signUp('mia', { activated: true, confirmed: true })).body
    expect(entities[0]).toMatchObject({ activated: false, confirmed: false })
    const before = await app.signIn('mia')
    expect([before.status, before.body]).toEqual([
      403,
      expect.objectContaining({
        error: 'invalid_grant',
        error_description: 'User must be confirmed to authenticate',
      }),
    ])
    const link = await sink.link(app.mail('mia'), `User Account Confirmation: ${app.mail('mia')}`)
    const stranger = (await app.signUp('tom')).body.entities[0]
    const foreign = new URL(link)
    foreign.pathname = link.pathname.replace(entities[0].uuid, stranger.uuid)
    expect((await follow(foreign)).status, 'of another user').toBe(400)
    foreign.pathname = link.pathname.replace('/confirm', '/activate')
    expect((await follow(foreign)).status, 'for another purpose').toBe(400)

    const page = await follow(link)

    expect([page.status, page.text]).toEqual([200, expect.stringContaining('The account is active')])
    expect((await app.signIn('mia')).status).toBe(200)
    expect((await app.admin.get('/users/mia')).body.entities[0]).toMatchObject({
      activated: true,
      confirmed: true,
    })
    expect((await follow(link)).status, 'a second time').toBe(400)
    expect((await app.signIn('tom')).status).toBe(403)
  })

  it('are sent on to the pages of their organization, once their links are good', async () => {
    const app = await registering({ registration_requires_email_confirmation: true })
    const home = `https://${app.organization}.test/welcome`
    // With signs that an address may be written with, and a header may not.
    const views = { 'usergrid.view.applications.users.user.confirm': home.replace('/w', '/\r\nw') }
    await shared.server.engine.handle({
      method: 'PUT',
      path: `/management/orgs/${app.organization}/config`,
      search: '',
      baseUrl: '',
      body: { ...views, 'usergrid.view.applications.users.user.activate': 'javascript:alert(1)' },
      principal: { kind: 'sysadmin' },
    })
    await app.signUp('mia')
    const link = await sink.link(app.mail('mia'))

    const page = await follow(link)

    expect([page.status, page.headers.get('location'), page.html]).toEqual([303, home, ''])
    expect((await app.signIn('mia')).status).toBe(200)
    expect((await follow(link)).status).toBe(400)
  })

  it('are not confirmed by a program that opens the links of their mails', async () => {
    const app = await registering({ registration_requires_email_confirmation: true })
    await app.signUp('mia')
    const link = (await sink.link(app.mail('mia'))).href.replace(PUBLIC, shared.url)

    const pages = [await readPage(link), await readPage(link), await readPage(link, { method: 'HEAD' })]

    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(pages[0]!.text).toContain('Confirm the account')
    expect((await app.signIn('mia')).status).toBe(403)
    expect((await followed(link)).text).toContain('The account is active')
    expect((await app.signIn('mia')).status).toBe(200)
  })

  it('who must be approved of sign in once an administrator has followed his link', async () => {
    const app = await registering({
      registration_requires_email_confirmation: 'true',
      registration_requires_admin_approval: true,
    })
    await app.signUp('mia')

    const confirmed = await follow(await sink.link(app.mail('mia')))
    expect(confirmed.text).toContain('has to be approved now')
    expect((await app.signIn('mia')).body.error_description).toBe('user not activated')
    await sink.next(app.mail('mia'), 'User Account Confirmed')
    const link = await sink.link(app.owner.email, `Request For User Account Activation ${app.mail('mia')}`)
    expect((await follow(link)).text).toContain('The account is active')

    expect((await app.signIn('mia')).status).toBe(200)
    await sink.next(app.mail('mia'), 'User Account Activated')
  })

  it('ask for the mail again, and keep out who was switched off meanwhile', async () => {
    const app = await registering({ registration_requires_email_confirmation: true })
    await app.signUp('mia')
    const first = await sink.link(app.mail('mia'))

    const again = await app.get('/users/mia/reactivate')
    expect([again.status, again.body.action]).toEqual([200, 'reactivate user'])
    const second = await sink.link(app.mail('mia'))
    expect(second.href).not.toBe(first.href)
    await app.admin.post('/users/mia/deactivate')
    await follow(second)

    expect((await app.signIn('mia')).body.error_description).toBe('user not activated')
    expect((await follow(first)).status).toBe(400)
  })

  it('whom an administrator made with a state of their own have it, in batches, too', async () => {
    const app = await registering({
      registration_requires_email_confirmation: true,
      notify_admin_of_new_users: true,
    })

    const made = await app.admin.post('/users', [
      { username: 'ada', password: PASSWORD, activated: true },
      { username: 'bob', email: app.mail('bob'), password: PASSWORD },
      { username: 'without-mail', password: PASSWORD },
    ])

    expect(made.body.entities).toMatchObject([{ activated: true }, { activated: false, confirmed: false }])
    expect((await app.signIn('ada')).status).toBe(200)
    await follow(await sink.link(app.mail('bob')))
    await sink.next(app.owner.email, `New User Account Activated ${app.mail('bob')}`)
  })

  it('are not made by guests where registration is closed', async () => {
    const app = await registering({ allow_open_registration: false })

    const refused = [
      await app.signUp('mia'),
      await app.put('/users/mia', { username: 'mia' }),
      await app.post('/_batch', {
        operations: [{ method: 'POST', path: '/users', body: { username: 'mia' } }],
      }),
    ]

    expect(refused.map(({ status, body }) => [status, body.error])).toEqual(
      Array(3).fill([401, 'unauthorized']),
    )
    expect((await app.signUp('ada', {}, app.admin)).status).toBe(200)
  })

  it('confirm a new e-mail address where they had to confirm the first', async () => {
    const app = await registering({ registration_requires_email_confirmation: true })
    await app.signUp('mia')
    await follow(await sink.link(app.mail('mia')))

    await app.admin.put('/users/mia', { email: app.mail('new-mia') })

    expect((await app.signIn('mia')).body.user).not.toHaveProperty('confirmed')
    await follow(await sink.link(app.mail('new-mia')))
    expect((await app.signIn('mia')).body.user).toMatchObject({ confirmed: true })
  })

  it('learn of being added to an organization, and choose a password', async () => {
    const app = await shared.application()
    const other = await shared.application()
    const path = `/management/orgs/${app.organization}/users`
    const email = `new@${app.organization}.test`

    await app.management.post(path, { email, username: `new-of-${app.organization}` })
    const password = await sink.link(email, 'Password Reset')
    const invited = await sink.next(email, 'User Invited To Organization')
    await app.management.post(path, { email: other.owner.email, invite: true })
    await app.management.put(`${path}/${other.owner.username}`)
    const added = await sink.next(other.owner.email)

    expect((await follow(password)).text).toContain('Choose a new password')
    expect(invited.text).toContain(`the organization ${app.organization}, added by ${app.owner.username}`)
    expect(added.headers['subject']).toBe('User Invited To Organization')
  })
})

describe('in compatibility mode', () => {
  const sink = sharedSink()
  const usergrid = sharedServer('sqlite', {
    publicUrl: PUBLIC,
    mailer: sink.mailer,
    compatibility: 'usergrid',
  })

  it('opening the link of a mail is enough', async () => {
    const app = await usergrid.application()
    await app.admin.put('', { registration_requires_email_confirmation: true })
    const email = `mia@${app.organization}.test`
    await app.as().post('/users', { username: 'mia', email, password: PASSWORD })

    const page = await readPage((await sink.link(email)).href.replace(PUBLIC, usergrid.url))

    expect(page.text).toContain('The account is active')
  })
})

describe('administrators and organizations', () => {
  const sink = sharedSink()
  const strict = sharedServer('sqlite', {
    publicUrl: PUBLIC,
    mailer: sink.mailer,
    registration: {
      confirmAdmins: true,
      approveAdmins: true,
      confirmOrganizations: true,
      approveOrganizations: true,
      notifyOfNewOrganizations: true,
      sysadminEmail: SYSADMIN,
    },
  })
  const closed = sharedServer('memory', { registration: { open: false } })
  const follow = (link: URL) => followed(link.href.replace(PUBLIC, strict.url))
  const post = (url: string, body: object) =>
    fetch(url, { method: 'POST', body: JSON.stringify(body) }).then(async (response) => ({
      status: response.status,
      body: await response.json(),
    }))

  it('are confirmed by their owner, and then approved of by the system administrator', async () => {
    const account = { username: 'ada', email: 'ada@acme.test', password: PASSWORD }
    const signIn = () => post(`${strict.url}/management/token`, { grant_type: 'password', ...account })

    const made = await post(`${strict.url}/management/orgs`, { organization: 'acme', ...account })
    expect(made.body.data.owner).toMatchObject({ activated: false, confirmed: false })
    expect((await fetch(`${strict.url}/acme/sandbox/dogs`)).status).toBe(404)
    expect((await signIn()).status).toBe(403)

    const confirmation = await sink.link(account.email, `User Account Confirmation: ${account.email}`)
    expect((await follow(confirmation)).text).toContain('has to be approved now')
    const organization = await sink.link(account.email, 'Organization Account Confirmation')
    expect(organization.pathname).toMatch(/^\/management\/organizations\/[\da-f-]{36}\/confirm$/)
    expect((await follow(organization)).text).toContain('The organization is confirmed')
    expect((await signIn()).body.error_description).toBe('user not activated')

    await follow(await sink.link(SYSADMIN, `Request For Admin User Account Activation ${account.email}`))
    expect((await signIn()).status).toBe(200)
    await sink.next(account.email, 'User Account Activated')
    expect((await fetch(`${strict.url}/acme/sandbox/dogs`)).status).toBe(404)
    await follow(await sink.link(SYSADMIN, 'Request For Organization Account Activation acme'))
    expect((await fetch(`${strict.url}/acme/sandbox/dogs`)).status).toBe(200)
    await sink.next(account.email, 'Organization Account Activated: acme')
    await sink.next(SYSADMIN, 'New Organization Account Activated acme')
  })

  it('get the mail again, organizations for those who may manage them', async () => {
    const account = { username: 'eve', email: 'eve@evil.test', password: PASSWORD }
    await post(`${strict.url}/management/users`, account)
    await sink.next(account.email)

    const again = await post(`${strict.url}/management/users/eve@evil.test/reactivate`, {})
    expect(again.body).toMatchObject({ action: 'reactivate user' })
    await sink.next(account.email)
    expect((await fetch(`${strict.url}/management/orgs/acme/reactivate`)).status).toBe(401)
  })

  it('are made by the system administrator alone where registration is closed', async () => {
    const account = { username: 'ada', email: 'ada@acme.test', password: PASSWORD }
    const refused = [
      await post(`${closed.url}/management/orgs`, { organization: 'acme', ...account }),
      await post(`${closed.url}/management/users`, account),
    ]
    const made = await closed.server.engine.handle({
      method: 'POST',
      path: '/management/orgs',
      search: '',
      baseUrl: '',
      body: { organization: 'acme', ...account },
      principal: { kind: 'sysadmin' },
    })

    expect(refused.map(({ status, body }) => [status, body.error, body.error_description])).toEqual(
      Array(2).fill([400, 'illegal_argument', 'Public organization registration is disabled']),
    )
    expect(made.status).toBe(200)
  })
})
