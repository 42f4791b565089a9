import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer } from '../../support/application.js'
import { sharedSink } from '../../support/mail-sink.js'

const MINUTE = 60_000

describe('pins', () => {
  const sink = sharedSink()
  const time = { passed: 0 }
  const shared = sharedServer('sqlite', { mailer: sink.mailer, clock: () => Date.now() + time.passed })
  const open = async () => {
    const app = await shared.application()
    const email = `mia@${app.organization}.test`
    const mia = await app.signedUp('mia', { email })
    const signIn = (pin: unknown, username = 'mia') =>
      app.post('/token', { grant_type: 'pin', username, pin })
    const mailed = async () => /\b\d{6}\b/.exec((await sink.next(email, 'Your app pin')).text)![0]
    return { app, mia, signIn, mailed }
  }

  it('that a user chose sign him in until his password changes', async () => {
    const { app, mia, signIn } = await open()

    const set = await mia.post('/users/me/setpin', { pin: '271828' })
    expect([set.status, set.body.action]).toEqual([200, 'set user pin'])
    expect((await app.get('/users/mia')).text).not.toContain('271828')
    const { body } = await signIn('271828')
    expect(body).toMatchObject({ access_token: expect.any(String), user: { username: 'mia' } })
    expect((await signIn('271829')).body).toMatchObject({ error: 'invalid_grant' })
    expect((await signIn(PASSWORD)).status, 'no password').toBe(400)

    await mia.put('/users/me/password', { oldpassword: PASSWORD, newpassword: 'a wholly new password' })
    expect((await signIn('271828')).status).toBe(400)
  })

  it('are set by the user, by administrators and with a new user alone', async () => {
    const { app, mia, signIn } = await open()
    const tom = await app.signedUp('tom')

    const refused = [
      await tom.post('/users/mia/setpin', { pin: '271828' }),
      await app.get('/users/mia/setpin?pin=271828'),
      await mia.post('/users/me/setpin', { pin: '12345' }),
      await mia.post('/users/me/setpin', { pin: { $ne: '' } }),
    ]
    expect(refused.map(({ status }) => status)).toEqual([401, 401, 400, 400])
    await app.admin.post('/users/mia/setpin', new URLSearchParams({ pin: '314159' }))
    expect((await signIn('314159')).status).toBe(200)
    await app.admin.post('/users', { username: 'ada', pin: '161803' })
    expect((await signIn('161803', 'ada')).status).toBe(200)
  })

  it('that were mailed work once, for fifteen minutes, and are sent to whom a permission string allows', async () => {
    const { app, mia, signIn, mailed } = await open()
    expect((await app.as().get('/users/mia/sendpin')).status, 'the sandbox is open to guests').toBe(200)
    const first = await mailed()
    const late = await app.newApplication('closed')
    expect((await late.guest.post('/users/mia/sendpin')).status).toBe(401)

    expect((await signIn(first)).status).toBe(200)
    expect((await signIn(first)).status).toBe(400)
    await app.admin.post('/users/mia/sendpin')
    const second = await mailed()
    time.passed += 15 * MINUTE
    expect((await signIn(second)).status).toBe(400)
    await mia.post('/users/me/sendpin')
    expect((await signIn(await mailed())).status).toBe(200)
    await mia.post('/users/me/sendpin')
    const toOld = await mailed()
    expect((await mia.put('/users/me', { email: 'another@example.test' })).status).toBe(200)
    expect((await signIn(toOld)).status, 'to an address of before').toBe(400)
  })

  it('count as sign-ins, together with passwords', async () => {
    const { app, signIn } = await open()
    const statuses = []

    for (let i = 0; i < 6; i++) {
      statuses.push((await signIn('000000')).status)
      const wrong = { grant_type: 'password', username: 'mia', password: 'wrong' }
      statuses.push((await app.post('/token', wrong)).status)
    }

    expect(statuses).toEqual([...Array(10).fill(400), 429, 429])
  })
})
