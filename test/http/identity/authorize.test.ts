import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer } from '../../support/application.js'
import { Clock } from '../../support/factors.js'
import { fieldsIn, postForm, readPage } from '../../support/pages.js'
import { beginning, GOAL, newPkce, openShop, type Pkce, PUBLIC } from '../../support/sign-in-elsewhere.js'
import { codeAt } from '../../support/totp.js'

describe('the page to sign in on', () => {
  const clock = new Clock()
  const shared = sharedServer('sqlite', { publicUrl: PUBLIC, clock: clock.read })

  /** A shop with a user, and the page of its sign-in. */
  const open = async () => {
    const shop = await openShop(await shared.application())
    const { uuid } = await shop.user({ username: 'mia', email: 'mia@x.test' })
    const { client_id: clientId } = (await shop.admin.get('/credentials')).body.credentials
    const pkce = newPkce()
    const params = { ...beginning(pkce), response_type: 'code', client_id: clientId as string }
    const url = shop.here(shop.address('/authorize')).replace(/\?$/, '')
    const read = (more: Record<string, string> = {}) =>
      readPage(`${url}?${new URLSearchParams({ ...params, ...more })}`)
    const post = (fields: Record<string, string>) => postForm(url, { ...params, ...fields })
    return { shop, uuid, pkce, params, url, read, post }
  }
  const goalOf = ({ headers }: { headers: Headers }) => new URL(headers.get('location')!)

  it('is not there before an address to go back to is registered', async () => {
    const app = await shared.application()

    const page = await readPage(`${app.url}/${app.name}/authorize?response_type=code&redirect_uri=${GOAL}`)

    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
    expect(page.text).toContain('no address to go back to is registered')
  })

  it('takes username or e-mail address and password, and gives a code for one use', async () => {
    const { shop, uuid, pkce, params, read, post } = await open()

    const page = await read({ state: '"><script>' })
    expect([page.status, page.headers.get('cache-control'), page.headers.get('referrer-policy')]).toEqual([
      200,
      'no-store',
      'no-referrer',
    ])
    expect(page.headers.get('content-security-policy')).toContain(
      `form-action 'self' ${new URL(GOAL).origin};`,
    )
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(page.text).toContain('Sign in to shop')
    expect(page.html).not.toContain('<script>')
    expect(
      fieldsIn(page.html)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...Object.keys(params), 'username', 'password'].sort())

    for (const username of ['mia', 'mia@x.test']) {
      const back = await post({ username, password: PASSWORD })
      const goal = goalOf(back)
      expect([back.status, goal.origin + goal.pathname]).toEqual([303, GOAL])
      expect([...goal.searchParams.keys()]).toEqual(['code', 'state'])
      expect(goal.searchParams.get('state')).toBe(params.state)
      const code = goal.searchParams.get('code')
      const exchanged = await shop.exchange(code, pkce, { client_id: params.client_id })
      expect([exchanged.status, exchanged.body.user.uuid]).toEqual([200, uuid])
      expect((await shop.exchange(code, pkce)).body.error).toBe('invalid_grant')
    }
  })

  it('shows itself again when something is wrong, with what was typed but the password', async () => {
    const { shop, uuid, post } = await open()

    for (const [username, password] of [
      ['mia', { password: 'wrong' }],
      ['nobody', { password: PASSWORD }],
      ['mia', {}],
    ] as const) {
      const page = await post({ username, ...password })
      expect([page.status, page.headers.get('location')]).toEqual([200, null])
      expect(page.text).toContain('Username or password do not match')
      expect(page.html).toContain(`value="${username}"`)
      expect(page.html).not.toContain(PASSWORD)
    }
    await shop.admin.put(`/users/${uuid}`, { disabled: true })
    expect((await post({ username: 'mia', password: PASSWORD })).text).toContain('user disabled')
  })

  it('says when there were too many tries', async () => {
    const { post } = await open()
    for (let i = 0; i < 10; i++) await post({ username: 'mia', password: 'wrong' })

    const page = await post({ username: 'mia', password: PASSWORD })

    expect([page.status, Number(page.headers.get('retry-after'))]).toEqual([429, 60])
    expect(page.text).toContain('Too many failed sign-ins')
  })

  it('tells the program what is wrong with its request, and shows nothing', async () => {
    const { params, url, read } = await open()
    const { code_challenge: challenge, response_type: _, ...rest } = params
    const requests: [Record<string, string>, string][] = [
      [{ ...rest, code_challenge: challenge }, 'invalid_request'],
      [{ ...params, response_type: 'token' }, 'unsupported_response_type'],
      [{ ...rest, response_type: 'code' }, 'invalid_request'],
      [{ ...params, code_challenge_method: 'plain' }, 'invalid_request'],
      [{ ...params, code_challenge: `${challenge}x` }, 'invalid_request'],
    ]

    for (const [request, error] of requests) {
      const back = await readPage(`${url}?${new URLSearchParams(request)}`)
      expect([back.status, back.html]).toEqual([302, ''])
      expect(Object.fromEntries(goalOf(back).searchParams)).toMatchObject({ error, state: params.state })
    }
    expect((await read({ client_id: 'somebody else' })).status).toBe(400)
    expect((await read({ state: 'x'.repeat(2001) })).status).toBe(400)
  })

  it('sends back to a program on the same machine, on whatever port it listens', async () => {
    const { post } = await open()

    const back = await post({
      username: 'mia',
      password: PASSWORD,
      redirect_uri: 'http://127.0.0.1:49152/cb',
    })

    expect(goalOf(back).host).toBe('127.0.0.1:49152')
  })

  it('asks for a code of who has a second factor, before or after a wrong one', async () => {
    const { shop, pkce, post } = await open()
    const token = (await shop.password('mia')).body.access_token
    const factors = (path: string, body: object) => shop.as(token).post(`/users/me/factors${path}`, body)
    const { secret } = (await factors('/totp', { password: PASSWORD })).body.data
    const { recoveryCodes } = (await factors('/totp/confirm', { code: codeAt(secret, clock.now) })).body.data
    clock.next()
    const stepIn = (html: string) => / name="step" value="([^"]*)"/.exec(html)![1]!

    const asked = await post({ username: 'mia', password: PASSWORD })
    expect([asked.status, asked.headers.get('location')]).toEqual([200, null])
    expect(fieldsIn(asked.html).map(({ name }) => name)).toEqual(expect.arrayContaining(['step', 'code']))
    expect(fieldsIn(asked.html).map(({ name }) => name)).not.toContain('password')
    const wrong = await post({ step: stepIn(asked.html), code: '000000' })
    expect(wrong.text).toContain('The code is wrong')
    expect((await post({ step: stepIn(asked.html), code: codeAt(secret, clock.now) })).text).toContain(
      'begin again',
    )
    const back = await post({ step: stepIn(wrong.html), code: codeAt(secret, clock.now) })

    expect((await shop.exchange(goalOf(back).searchParams.get('code'), pkce)).status).toBe(200)
    const once = await post({ username: 'mia', password: PASSWORD, code: recoveryCodes[0] })
    expect((await shop.exchange(goalOf(once).searchParams.get('code'), pkce)).status).toBe(200)
  })

  it('gives a code that a new password ends', async () => {
    const { shop, uuid, pkce, post } = await open()
    const code = goalOf(await post({ username: 'mia', password: PASSWORD })).searchParams.get('code')
    clock.next()
    await shop.admin.put(`/users/${uuid}/password`, { newpassword: 'another password' })

    expect((await shop.exchange(code, pkce)).body.error).toBe('invalid_grant')
  })

  it('is there for administrators, once a system administrator has registered an address', async () => {
    const app = await shared.application()
    const { server } = shared
    const management = app.as(undefined, '/management')
    const url = `${app.url}/management/authorize`
    const pkce: Pkce = newPkce()
    const params = { ...beginning(pkce), response_type: 'code', client_id: 'management' }
    const { username, password } = server.owner
    const sysadmin = app.as(
      (await management.post('/token', { grant_type: 'password', username, password })).body.access_token,
      '/management',
    )
    expect((await readPage(`${url}?${new URLSearchParams(params)}`)).status).toBe(404)
    expect((await app.management.put('/management/auth/redirects', { redirectUris: [GOAL] })).status).toBe(
      401,
    )
    await sysadmin.put('/auth/redirects', { redirectUris: [GOAL] })

    const back = await postForm(url, {
      ...params,
      username: app.owner.username,
      password: app.owner.password,
    })
    const code = goalOf(back).searchParams.get('code')
    const exchange = (door: typeof management) =>
      door.post('/token', {
        grant_type: 'authorization_code',
        code,
        redirect_uri: GOAL,
        code_verifier: pkce.verifier,
      })

    expect((await exchange(app.as())).body.error).toBe('invalid_grant')
    const signedIn = await exchange(management)
    expect([signedIn.status, signedIn.body.user.username]).toEqual([200, app.owner.username])
    await sysadmin.put('/auth/redirects', { redirectUris: [] })
    expect((await readPage(`${url}?${new URLSearchParams(params)}`)).status).toBe(404)
  })
})
