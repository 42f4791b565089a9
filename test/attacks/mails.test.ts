import { performance } from 'node:perf_hooks'
import { type Engine, type EngineOptions, type Mail, openEngine } from '@entigrid/core'
import { DATABASES, openTestDatabase, openTestEngine, type TestDatabaseName } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { StatementCounter } from '../../packages/core/src/testing/statements.js'
import { request } from '../support/http-server.js'
import { linkIn } from '../support/mail-sink.js'
import { openTestServer } from '../support/server.js'

const PASSWORD = 'a password for tests'
const OWNER = { username: 'owner', password: PASSWORD, organization: 'test' }
const PUBLIC = 'https://api.example.test'
const CHEAP = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
const HOUR = 3_600_000

/** A letter box: what the engine sends, and waiting for it. */
const openBox = () => {
  const mails: Mail[] = []
  const waiting: (() => void)[] = []
  const send = async (mail: Mail) => {
    mails.push(mail)
    for (const wake of waiting.splice(0)) wake()
  }
  const next = async (to: string): Promise<Mail> => {
    for (;;) {
      const at = mails.findIndex((mail) => mail.to === to)
      if (at >= 0) return mails.splice(at, 1)[0]!
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  return { mailer: { send }, mails, next }
}

const askerOf = (engine: Engine) => async (method: 'GET' | 'POST' | 'PUT', path: string, body?: object) => {
  const [below = '', search = ''] = path.split('?')
  const reply = await engine.handle({
    method,
    path: below,
    search,
    baseUrl: 'http://evil.test',
    body: body as never,
  })
  return { status: reply.status, text: reply.body }
}

const asSysadmin = (engine: Engine, path: string, body: object, method: 'POST' | 'PUT' = 'POST') =>
  engine.handle({
    method,
    path,
    search: '',
    baseUrl: '',
    body: body as never,
    principal: { kind: 'sysadmin' },
  })

/** An engine with the user mia of test/sandbox, whose users must confirm. */
const openAccounts = async (
  database: TestDatabaseName,
  options: Partial<EngineOptions> = {},
  counter?: StatementCounter,
) => {
  const box = openBox()
  const test = await openTestEngine(
    database,
    { publicUrl: PUBLIC, mailer: box.mailer, ...options },
    counter?.wrap,
  )
  await test.engine.bootstrap(OWNER)
  await asSysadmin(test.engine, '/test/sandbox/users', {
    username: 'mia',
    email: 'mia@example.test',
    password: PASSWORD,
  })
  return { ...test, box, ask: askerOf(test.engine), [Symbol.asyncDispose]: test.close }
}

const fifty = <T>(work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 50 }, (_, i) => work(i)))

const pathOf = (mail: Mail): string => linkIn(mail).href.slice(PUBLIC.length)

describe.each(DATABASES)('attack 20: links of mails on %s', (database) => {
  it('set one password of fifty at once', async () => {
    await using accounts = await openAccounts(database)
    const { ask, box } = accounts
    await ask('POST', '/test/sandbox/users/resetpw', { email: 'mia@example.test' })
    const [path, token] = pathOf(await box.next('mia@example.test')).split('?token=') as [string, string]
    const password = (i: number) => `a new password, number ${i}`

    const tries = await fifty((i) =>
      ask('POST', path, { token, password1: password(i), password2: password(i) }),
    )

    const winners = tries.flatMap(({ status }, i) => (status === 200 ? [i] : []))
    expect(winners).toHaveLength(1)
    expect(tries.filter(({ status }) => status === 400)).toHaveLength(49)
    const signIn = (text: string) =>
      ask('POST', '/test/sandbox/token', { grant_type: 'password', username: 'mia', password: text })
    expect((await signIn(password(winners[0]!))).status).toBe(200)
    expect((await signIn(password((winners[0]! + 1) % 50))).status).toBe(400)
  })

  it('confirm, approve, invite and sign in by a pin once', async () => {
    await using accounts = await openAccounts(database)
    const { ask, box, engine } = accounts
    const switches = {
      registration_requires_email_confirmation: true,
      registration_requires_admin_approval: true,
    }
    await asSysadmin(engine, '/test/sandbox', switches, 'PUT')
    await asSysadmin(engine, '/management/orgs/test/users', { email: 'boss@example.test', username: 'boss' })
    const invitation = pathOf(await box.next('boss@example.test'))
    await ask('POST', '/test/sandbox/users', {
      username: 'tom',
      email: 'tom@example.test',
      password: PASSWORD,
    })
    const outcomes: number[] = []
    const use = async (work: (i: number) => Promise<{ status: number }>) =>
      outcomes.push((await fifty(work)).filter(({ status }) => status === 200).length)

    const confirmation = pathOf(await box.next('tom@example.test'))
    await use(() => ask('POST', confirmation))
    let approval = await box.next('boss@example.test')
    if (!approval.subject.startsWith('Request')) approval = await box.next('boss@example.test')
    await use(() => ask('POST', pathOf(approval)))
    await asSysadmin(engine, '/test/sandbox/users/mia/sendpin', {})
    const pin = /\b\d{6}\b/.exec((await box.next('mia@example.test')).text)![0]
    await use(() => ask('POST', '/test/sandbox/token', { grant_type: 'pin', username: 'mia', pin }))
    const [path, token] = invitation.split('?token=') as [string, string]
    await use((i) =>
      ask('POST', path, { token, password1: `${PASSWORD} ${i}`, password2: `${PASSWORD} ${i}` }),
    )

    expect(outcomes).toEqual([1, 1, 1, 1])
  })
})

it('attack 20: two processes on one PostgreSQL set one password of fifty at once', async () => {
  await using place = await openTestDatabase('postgres')
  const box = openBox()
  const secret = 'a secret for two processes, long enough'
  const options = { secret, passwordCost: CHEAP, publicUrl: PUBLIC, mailer: box.mailer }
  const open = () => openEngine({ database: place.url, ...place.options, ...options })
  const engines = [await open(), await open()]
  await engines[0]!.bootstrap({ ...OWNER, username: 'owner@example.test' })
  await askerOf(engines[0]!)('POST', '/management/users/resetpw', { email: 'owner@example.test' })
  const [path, token] = pathOf(await box.next('owner@example.test')).split('?token=') as [string, string]

  const tries = await fifty((i) =>
    askerOf(engines[i % 2]!)('POST', path, {
      token,
      password1: `${PASSWORD} ${i}`,
      password2: `${PASSWORD} ${i}`,
    }),
  )

  expect(tries.filter(({ status }) => status === 200)).toHaveLength(1)
  await Promise.all(engines.map((engine) => engine.close()))
})

it('attack 23: a mail to an address that was changed meanwhile proves nothing of the new one', async () => {
  const box = openBox()
  await using test = await openTestEngine('sqlite', { publicUrl: PUBLIC, mailer: box.mailer })
  const { engine } = test
  await engine.bootstrap(OWNER)
  const ask = askerOf(engine)
  const users = '/test/sandbox/users'
  for (let i = 0; i < 20; i++) {
    const path = `${users}/eve${i}`
    const [old, victim] = [`eve${i}@evil.test`, `victim${i}@example.test`]
    await asSysadmin(engine, users, { username: `eve${i}`, email: old, confirmed: false })

    await Promise.all([
      ask('POST', `${path}/reactivate`),
      ask('POST', `${path}/resetpw`, {}),
      // At one of several moments.
      (async () => {
        for (let turn = 0; turn < i % 10; turn++) await new Promise((resolve) => setImmediate(resolve))
        await asSysadmin(engine, path, { email: victim }, 'PUT')
      })(),
    ])
    await ask('POST', `${path}/reactivate`)
    await box.next(victim)
  }

  const toOld = box.mails.filter(({ to }) => to.endsWith('@evil.test'))
  const answers = await Promise.all(toOld.map((mail) => ask('GET', pathOf(mail))))
  expect(toOld).not.toEqual([])
  for (const { text } of answers)
    expect(text).toMatch(/This link does not work|Sorry, you have an invalid token/)
})

it('attack 21: a token of a mail that is no token is refused, without a look into the database', async () => {
  const counter = new StatementCounter()
  await using accounts = await openAccounts('sqlite', {}, counter)
  const { ask } = accounts
  const tokens = [{ $ne: '' }, ['ZW0t'], 1, true, '', 'ZW0t', `ZW0t${'A'.repeat(47)}=`, 'x'.repeat(1_000_000)]
  await ask('POST', '/test/sandbox/users/mia/resetpw', { token: 'x', password1: 'a', password2: 'a' })
  const statuses: number[] = []

  const statements = await counter.during(async () => {
    for (const token of tokens)
      for (const path of ['/test/sandbox/users/mia/resetpw', '/management/users/owner/resetpw'])
        statuses.push((await ask('POST', path, { token, password1: PASSWORD, password2: PASSWORD })).status)
    for (const word of ['confirm', 'activate'])
      for (const path of [
        '/test/sandbox/users/mia',
        '/management/users/owner',
        '/management/organizations/test',
      ])
        statuses.push((await ask('GET', `${path}/${word}?token=${'x'.repeat(8_000)}`)).status)
  })

  expect(new Set(statuses)).toEqual(new Set([400]))
  expect(statements).toEqual([])
})

it('attack 21: a token of a mail is no access token, and none of another purpose or person', async () => {
  await using accounts = await openAccounts('sqlite')
  const { ask, box } = accounts
  await ask('POST', '/test/sandbox/users/resetpw', { email: 'mia@example.test' })
  const path = pathOf(await box.next('mia@example.test'))
  const token = path.split('?token=')[1]!

  const used = [
    await ask('GET', `/test/sandbox/users/me?access_token=${token}`),
    await ask('POST', path.replace('/resetpw?', '/confirm?')),
    await ask('POST', path.replace('/resetpw?', '/activate?')),
    await ask('POST', '/management/users/owner/resetpw', { token, password1: PASSWORD, password2: PASSWORD }),
  ]

  expect(used.map(({ status }) => status)).toEqual([401, 400, 400, 400])
  expect((await ask('GET', path)).text).toContain('Choose a new password')
})

describe('attack 24: whoever asks for mails', () => {
  const median = (times: number[]): number => times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!

  it.each([
    [
      'a new password',
      'POST',
      '/test/sandbox/users/resetpw',
      (name: string) => ({ email: `${name}@example.test` }),
    ],
    ['confirmation again', 'POST', '/test/sandbox/users/NAME/reactivate', () => ({})],
  ] as const)('for %s learns by nothing whether there is such an account', async (_, method, path, body) => {
    let now = Date.UTC(2026, 0, 1)
    await using accounts = await openAccounts('memory', { clock: () => now })
    const { ask, box, engine } = accounts
    if (path.endsWith('reactivate')) {
      await asSysadmin(engine, '/test/sandbox', { registration_requires_email_confirmation: true }, 'PUT')
      await asSysadmin(engine, '/test/sandbox/users/mia', { confirmed: false }, 'PUT')
    }
    const times = { mia: [] as number[], nob: [] as number[] }
    const answers = { mia: new Set<string>(), nob: new Set<string>() }

    for (let i = 0; i < 200; i++)
      for (const name of ['nob', 'mia'] as const) {
        now += HOUR
        const began = performance.now()
        const { status, text } = await ask(method, path.replace('NAME', name), body(name))
        times[name].push(performance.now() - began)
        const same = text.replaceAll(name, 'NAME').replace(/"timestamp":\d+,"duration":\d+/, '')
        answers[name].add(`${status} ${same}`)
        // Of one that is there a mail comes, after the answer: then nothing is under way any more.
        if (name === 'mia') await box.next('mia@example.test')
        else await new Promise((resolve) => setImmediate(resolve))
      }

    expect(answers.mia).toEqual(answers.nob)
    expect(answers.mia.size).toBe(1)
    const [known, unknown] = [median(times.mia), median(times.nob)]
    expect(Math.abs(known - unknown), `${known} and ${unknown} ms`).toBeLessThan(0.3 + unknown / 2)
  })

  it('sees the same of links for accounts that are there and that are not', async () => {
    await using accounts = await openAccounts('memory')
    const { ask } = accounts
    const uuid = '018f2a5c-0000-7000-8000-000000000000'
    const token = `ZW0t${'A'.repeat(48)}`
    const passwords = { token, password1: PASSWORD, password2: PASSWORD }
    const of = async (name: string) => [
      await ask('GET', `/test/sandbox/users/${name}/resetpw?token=${token}`),
      await ask('POST', `/test/sandbox/users/${name}/resetpw`, passwords),
      await ask('POST', `/test/sandbox/users/${name}/confirm?token=${token}`),
      await ask('POST', `/management/users/${name}/activate?token=${token}`),
      await ask('POST', `/test/sandbox/users/${name}/resetpw`, {}),
      await ask('POST', `/test/sandbox/users/${name}/sendpin`),
      await ask('POST', `/management/users/${name}/reactivate`),
    ]
    const shown = async (name: string) =>
      (await of(name)).map(
        ({ status, text }) => `${status} ${text.replace(/"timestamp":\d+,"duration":\d+/, '')}`,
      )

    const known = await shown('mia')

    expect(await shown(uuid)).toEqual(known)
    expect(await shown('nobody')).toEqual(known)
  })

  it('cannot flood anybody through accounts made in his name, nor write to him in the name of the server', async () => {
    await using accounts = await openAccounts('memory')
    const { box, engine } = accounts
    const spam = 'win at evil.test/now'
    for (let i = 0; i < 30; i++) {
      const organization = `spam${i}`
      await asSysadmin(engine, '/management/orgs', {
        organization,
        username: `${spam} ${i}`,
        email: `e${i}@evil.test`,
      })
      const owner = await engine.handle({
        method: 'POST',
        path: `/management/orgs/${organization}/users`,
        search: '',
        baseUrl: '',
        body: { email: 'victim@example.test', invite: true },
        principal: { kind: 'sysadmin' },
      })
      expect(owner.status).toBe(200)
    }
    await engine.close()

    const received = box.mails.filter(({ to }) => to === 'victim@example.test')
    expect(received).toHaveLength(20)
    expect(JSON.stringify(received)).not.toContain('evil.test')
  })

  it('keeps nobody from the mails that he asks for himself', async () => {
    await using accounts = await openAccounts('memory')
    const { ask, box, engine } = accounts
    for (let i = 0; i < 9; i++) {
      await ask('GET', '/test/sandbox/users/mia/reactivate')
      await ask('POST', '/test/sandbox/users/mia/sendpin')
    }

    await ask('POST', '/test/sandbox/users/resetpw', { email: 'mia@example.test' })
    await engine.close()

    const subjects = box.mails.map(({ subject }) => subject).sort()
    expect(subjects).toEqual(['Password Reset', ...Array(5).fill('Your app pin')])
  })

  it('cannot flood anybody, nor find out so who is there', async () => {
    let now = Date.UTC(2026, 0, 1)
    await using accounts = await openAccounts('sqlite', { clock: () => now })
    const { box, engine } = accounts
    const ask = (name: string, address: string, form = false) =>
      engine.handle({
        method: 'POST',
        path: '/test/sandbox/users/resetpw',
        search: '',
        baseUrl: '',
        body: { email: `${name}@example.test` },
        form,
        address,
      })
    const statuses = async (name: string, network: string) => {
      const replies = []
      for (let i = 0; i < 32; i++) replies.push(await ask(name, `${network}${i % 3}`))
      return replies.map(({ status }) => status)
    }

    const known = await statuses('mia', '2001:db8:1:1::')

    expect(known).toEqual([...Array(30).fill(200), 429, 429])
    expect(await statuses('nobody', '2001:db8:2:2::')).toEqual(known)
    const page = await ask('mia', '2001:db8:1:1::1', true)
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('Too many mails were asked for')])
    for (let i = 0; i < 5; i++) await box.next('mia@example.test')
    now += HOUR
    expect((await ask('mia', '2001:db8:1:1::1')).status).toBe(200)
    await engine.close()
    expect(box.mails, 'more than five an hour').toHaveLength(1)
  })
})

describe('attack 26: the host of links in mails', () => {
  const poisoned = { Host: 'evil.test', 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'https' }
  const reset = (url: string) =>
    request(`${url}/management/users/resetpw`, {
      method: 'POST',
      headers: { ...poisoned, 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'boss@example.test' }),
    })
  const boss = { organization: 'acme', username: 'boss', email: 'boss@example.test', password: PASSWORD }

  it('is the one that was configured, whatever a request says', async () => {
    const box = openBox()
    await using server = await openTestServer({
      database: 'memory',
      options: { publicUrl: PUBLIC, mailer: box.mailer },
      server: { trustProxy: true },
    })
    await asSysadmin(server.engine, '/management/orgs', boss)

    const { status, text } = await reset(server.url)

    expect([status, text.includes('evil.test')]).toEqual([200, false])
    const mail = await box.next('boss@example.test')
    expect(linkIn(mail).origin).toBe(PUBLIC)
    expect(JSON.stringify(mail)).not.toContain('evil.test')
  })

  it('is none where none was configured: no mail is sent, and the log says what to set', async () => {
    const box = openBox()
    const warnings: string[] = []
    const log = {
      info: () => undefined,
      warn: (_: object, message: string) => warnings.push(message),
      error: () => undefined,
    }
    const server = await openTestServer({ database: 'memory', options: { mailer: box.mailer, log } })
    await asSysadmin(server.engine, '/management/orgs', boss)

    const { status } = await reset(server.url)
    await server.close()

    expect([status, box.mails]).toEqual([200, []])
    expect(warnings).toEqual([expect.stringContaining('ENTIGRID_PUBLIC_URL')])
  })
})
