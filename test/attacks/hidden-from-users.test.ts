import { openEngine, type Principal } from '@entigrid/core'
import { DATABASES, openTestDatabase } from '@entigrid/core/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { unchangedPrototypes } from './prototypes.js'
import { type AttackedUser, attacked, GUEST, type Who } from './ways.js'

const SSN = '078-05-1120'
const WRONG = '078-05-1121'
const HIDDEN = ['ssn', 'card.number', 'home.location', 'email']

describe.each(DATABASES)('attacks on what is hidden from users, on %s', (database) => {
  unchangedPrototypes()
  const target = attacked(database)
  let eve: AttackedUser

  /** People with secrets, whom eve may read and write. */
  const open = async (collection: string) => {
    await target().admins('POST', `/${collection}`, [
      {
        name: 'ann',
        city: 'Oslo',
        ssn: SSN,
        email: 'ann@example.org',
        card: { number: SSN, kind: 'visa' },
        cards: [{ number: 1 }],
        home: { location: { latitude: 1, longitude: 1 } },
      },
      { name: 'bob', city: 'Rome', ssn: '1', 'card.number': '1', card: [{ number: '1', kind: 'x' }] },
    ])
    await target().admins('POST', `/${collection}/_settings`, { hidden: HIDDEN })
    for (const name of ['ann', 'bob'])
      await target().admins('POST', `/${collection}/ann/knows/${collection}/${name}`)
  }
  const secretsIn = (value: unknown): boolean =>
    /078-05|"ssn"|"number":"|location|ann@/.test(JSON.stringify(value))

  beforeAll(async () => {
    eve = await target().user('/test/shop', 'eve', 'get,post,put,delete:/**')
    await target().admins('POST', '/roles/guest/permissions', { permission: 'get:/**' })
  })

  it('attack 3: they are in no reply of any way, but in those for administrators', async () => {
    await open('persons')

    for (const who of [eve, GUEST] as Who[])
      for (const [way, send] of target().ways) {
        const reads = ['/persons', '/persons/ann', '/persons/bob', '/persons/ann/knows']
        for (const path of reads) {
          const answer = await send(who, 'GET', `/test/shop${path}`)
          if (answer === null) continue
          expect([way, path, answer.status, secretsIn(answer.body)]).toEqual([way, path, 200, false])
          expect(JSON.stringify(answer.body)).toContain('Oslo'.slice(0, path.endsWith('bob') ? 0 : 4))
        }
        if (who === GUEST) continue
        for (const [method, path, body] of [
          ['PUT', '/persons/ann', { seen: way }],
          ['PATCH', '/persons/ann', { card: { kind: way } }],
          ['POST', '/persons/ann/likes/persons/ann', undefined],
          ['DELETE', '/persons/ann/likes/persons/ann', undefined],
        ] as const) {
          const answer = await send(who, method, `/test/shop${path}`, body === undefined ? {} : { body })
          if (answer !== null)
            expect([way, method, answer.status, secretsIn(answer.body)]).toEqual([way, method, 200, false])
        }
      }
    const { entities } = await target().admins('GET', '/persons/ann')
    expect(entities[0]).toMatchObject({
      ssn: SSN,
      card: { number: SSN },
      home: { location: { latitude: 1 } },
    })
  })

  it('attack 3: neither projections, sizes, entity tags nor references tell of them', async () => {
    await open('clients')
    const get = async (search: string, path = '/clients/ann') =>
      (await target().do(eve, 'GET', `/test/shop${path}`, { search })).body
    for (const ql of [
      'select ssn',
      'select {x: ssn}',
      'select card.number',
      'select {y: card}',
      'select email, name',
    ])
      expect([ql, secretsIn(await get(`ql=${encodeURIComponent(ql)}`, '/clients'))]).toEqual([ql, false])
    const before = (await get('etags=true', '/clients')).entities[0].metadata
    const size = (await get('')).entities[0].metadata.size
    await target().admins('PUT', '/clients/ann', { ssn: `${SSN} and much more` })
    const after = (await get('etags=true', '/clients')).entities[0].metadata
    expect(size).toBe((await get('')).entities[0].metadata.size)
    expect(before).toHaveProperty('etag')
    expect(after).toHaveProperty('etag')
    for (const reference of ['one.ssn', 'one.card.number', 'one.home.location.latitude', 'one.email']) {
      const operations = [
        { id: 'one', method: 'GET', path: 'clients/ann' },
        { method: 'POST', path: 'loot', body: { found: { $ref: reference } } },
      ]
      const { status } = await target().do(eve, 'POST', '/test/shop/_batch', { body: { operations } })
      expect([reference, status]).toEqual([reference, 400])
    }
  })

  it('attack 3: an entity tag is of what is seen, so that nobody can guess the rest by it', async () => {
    await open('members')
    const { server } = target()
    const send = (method: string, tag: string | null, who = eve) =>
      fetch(`${server.url}/test/shop/members/ann`, {
        method,
        headers: { authorization: `Bearer ${who.token}`, ...(tag === null ? {} : { 'if-match': tag }) },
        ...(method === 'PUT' ? { body: '{"seen":true}' } : {}),
      })
    const tag = (await send('GET', null)).headers.get('etag')!
    const admins = (await send('GET', null, target().admin as AttackedUser)).headers.get('etag')!
    expect(tag).not.toBe(admins)
    expect((await send('PUT', admins)).status).toBe(412)
    expect((await send('PUT', tag)).status).toBe(200)
  })

  const CONDITIONS: [right: string, wrong: string][] = [
    [`ssn = '${SSN}'`, `ssn = '${WRONG}'`],
    [`SSN = '078*'`, `SSN = '079*'`],
    [`ssn > '077'`, `ssn > '9'`],
    [`ssn contains '078'`, `ssn contains '077'`],
    [`card.number = '${SSN}'`, `card.number = '${WRONG}'`],
    ['home.location.latitude = 1', 'home.location.latitude = 2'],
    ['home.location within 10 of 1,1', 'home.location within 10 of 2,2'],
    [`not ssn = '${SSN}'`, `not ssn = '${WRONG}'`],
    [`city = 'Rome' or ssn = '${SSN}'`, `city = 'Rome' or ssn = '${WRONG}'`],
    [`not (city = 'Rome' or not ssn = '${SSN}')`, `not (city = 'Rome' or not ssn = '${WRONG}')`],
  ]

  it('attack 3: they match no guess, and order nothing', async () => {
    await open('guests')
    for (const path of ['/guests', '/guests/ann/knows', '/guests/ann/connections', '/guests/all/knows']) {
      const ask = async (ql: string, search = '&count=total') => {
        const { status, body } = await target().do(eve, 'GET', `/test/shop${path}`, {
          search: `ql=${encodeURIComponent(ql)}${search}`,
        })
        const names = body.entities?.map(({ name }: { name: string }) => name)
        return { status, names, total: body.total, warnings: body.metadata }
      }
      for (const [right, wrong] of CONDITIONS)
        for (const search of ['&count=total', '&limit=1', '&analyzeOnly=true'])
          expect([path, right, search, await ask(right, search)]).toEqual([
            path,
            right,
            search,
            await ask(wrong, search),
          ])
      for (const key of ['ssn', 'card.number'])
        expect([(await ask(`order by ${key}`)).names, (await ask(`order by ${key} desc`)).names]).toEqual([
          (await ask('')).names,
          (await ask('')).names,
        ])
    }
    for (const [method, body] of [
      ['PUT', { seen: true }],
      ['PATCH', { seen: true }],
      ['DELETE', undefined],
    ] as const)
      for (const [right] of CONDITIONS.slice(0, 7)) {
        const search = `ql=${encodeURIComponent(right)}`
        const answer = await target().do(eve, method, '/test/shop/guests', { body, search })
        expect([method, right, answer.body.entities ?? []]).toEqual([method, right, []])
      }
  })

  it('attack 3: an account is not found by an e-mail address that is hidden, and no token reply has it', async () => {
    await target().admins('POST', '/users', {
      username: 'ann',
      email: 'ann@example.org',
      password: 'a long password',
    })
    await target().admins('POST', '/users/_settings', { hidden: ['email', 'picture'] })

    for (const [way, send] of target().ways)
      for (const path of [
        '/users/ann@example.org',
        '/users/ann@example.org/following',
        '/users/eve/following/users/ann@example.org',
      ]) {
        const answer = await send(eve, 'GET', `/test/shop${path}`)
        if (answer !== null) expect([way, path, answer.status]).toEqual([way, path, 404])
      }
    for (const search of ['force=email', 'force=EMAIL']) {
      const answer = await target().do(eve, 'GET', '/test/shop/users/ann@example.org', { search })
      expect([search, answer.status]).toEqual([search, 404])
    }
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const answer = await target().do(eve, method, '/test/shop/users/ann@example.org', {
        body: { city: 'x' },
      })
      expect([method, answer.status]).toEqual([method, 404])
    }
    const words = ['permissions', 'rolenames']
    const permission = words.map((word) => `get,post,put,delete:/users/*/${word}`)
    await target().admins('POST', '/users/eve/permissions', { permission })
    for (const word of words)
      for (const [method, ref, status] of [
        ['GET', 'ann@example.org', 404],
        ['POST', 'ann@example.org', 404],
        ['GET', 'ann', 200],
      ] as const) {
        const body = method === 'GET' ? undefined : { permission: 'get:/x', name: 'admin' }
        const answer = await target().do(eve, method, `/test/shop/users/${ref}/${word}`, { body })
        // Nobody assigns a role without a right to the role, either.
        const isAssigned = method === 'POST' && word === 'rolenames'
        expect([method, ref, word, answer.status]).toEqual([method, ref, word, isAssigned ? 404 : status])
      }
    const connect = await target().do(eve, 'POST', '/test/shop/users/eve/likes/users/ann@example.org')
    expect(connect.status).toBe(404)
    const signIn = await target().do(GUEST, 'POST', '/test/shop/token', {
      body: { grant_type: 'password', username: 'ann@example.org', password: 'a long password' },
    })
    expect([signIn.status, secretsIn(signIn.body), signIn.body.user.username]).toEqual([200, false, 'ann'])
    expect((await target().admins('GET', '/users/ann@example.org')).entities[0].email).toBe('ann@example.org')
    await target().do(target().admin, 'DELETE', '/test/shop/users/_settings')
  })

  it('attack 3: nobody is told what he may do with an account by an address that is hidden, but with himself', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of permission strings.
    const rules = ['get,delete:/users/* where username = ${user}', 'get:/users/kim@example.org/likes']
    const kim = await target().user('/test/shop', 'kim', ...rules)
    await target().admins('PUT', '/users/kim', { email: 'kim@example.org' })
    await target().admins('POST', '/users', { username: 'lou', email: 'lou@example.org' })
    await target().admins('POST', '/users/_settings', { hidden: ['email'] })
    // A name that counts for all of him, however he is written.
    await target().do(target().admin, 'DELETE', '/test/shop/roles/default')
    const told = async (method: string, path: string) => {
      const search = new URLSearchParams({ method, path }).toString()
      const { body } = await target().do(kim, 'GET', '/test/shop/_access', { search })
      return JSON.stringify([body.data.allowed, body.data.status, body.data.rights]).replaceAll(
        'nobody',
        'lou',
      )
    }

    for (const method of ['GET', 'PUT', 'DELETE'])
      expect([method, await told(method, '/users/lou@example.org')]).toEqual([
        method,
        await told(method, '/users/nobody@example.org'),
      ])
    for (const ref of ['me', 'kim', kim.uuid])
      expect([ref, (await target().do(kim, 'GET', `/test/shop/users/${ref}/likes`)).status]).toEqual([
        ref,
        200,
      ])
    expect((await target().do(kim, 'GET', '/test/shop/users/kim@example.org')).status).toBe(404)
    await target().do(target().admin, 'DELETE', '/test/shop/users/_settings')
  })

  it('attack 3: a name that is hidden finds nothing, and a place says nothing of what is hidden in it', async () => {
    await target().admins('POST', '/spies', [
      { name: 'x', spot: { latitude: 1, longitude: 1 }, base: { latitude: 1, longitude: 1, note: 'hut' } },
      { name: 'y', spot: { latitude: 2, longitude: 2 }, base: { latitude: 1, longitude: 1 } },
    ])
    await target().admins('POST', '/spies/_settings', { hidden: ['name', 'spot.latitude', 'base.note'] })
    for (const name of ['x', 'y']) await target().admins('POST', `/spies/x/meets/spies/${name}`)
    const { uuid } = (await target().admins('GET', '/spies/x')).entities[0]
    const found = async (path: string, ql: string) => {
      const search = `ql=${encodeURIComponent(ql)}&count=total`
      const { status, body } = await target().do(eve, 'GET', `/test/shop${path}`, { search })
      return [status, body.entities?.length, body.total]
    }

    expect((await target().do(eve, 'GET', '/test/shop/spies/x')).status).toBe(404)
    for (const path of ['/spies', `/spies/${uuid}/meets`, `/spies/${uuid}/meets/spies`]) {
      expect([path, await found(path, 'where direct x, y')]).toEqual([path, [200, 0, 0]])
      expect([path, await found(path, `where direct ${uuid}`)]).toEqual([path, [200, 1, 1]])
      for (const place of ['spot', 'base']) {
        expect([path, await found(path, `${place} within 10 of 1, 1`)]).toEqual([path, [200, 0, 0]])
        expect([path, await found(path, `not ${place} within 10 of 1, 1`)]).toEqual([path, [200, 2, 2]])
      }
    }
  })

  it('an entity tag says nothing of connections that one may not follow', async () => {
    await target().admins('POST', '/plans', [{ name: 'x' }, { name: 'y' }])
    const kay = await target().user('/test/shop', 'kay', 'get:/plans/*', 'get:/plans/*/open')
    const tags = async () => {
      const headers = { authorization: `Bearer ${kay.token}` }
      const url = `${target().server.url}/test/shop/plans`
      const listed = await target().do(kay, 'GET', '/test/shop/plans', { search: 'etags=true' })
      const own = listed.body.entities.find(({ name }: { name: string }) => name === 'x')
      return [(await fetch(`${url}/x`, { headers })).headers.get('etag'), own.metadata.etag]
    }

    const before = await tags()
    await target().admins('POST', '/plans/x/secretly/plans/y')
    await target().admins('POST', '/plans/y/secretly/plans/x')
    expect(await tags()).toEqual(before)
    await target().admins('POST', '/plans/x/open/plans/y')
    const after = await tags()
    expect([after[0] === after[1], after[0] === before[0]]).toEqual([true, false])
  })

  it('comes and goes with the next request, and refuses what cannot be hidden', async () => {
    await open('others')
    const sees = async () => secretsIn((await target().do(eve, 'GET', '/test/shop/others/ann')).body)
    expect(await sees()).toBe(false)
    await target().do(target().admin, 'DELETE', '/test/shop/others/_settings')
    expect(await sees()).toBe(true)
    for (const hidden of [
      'ssn',
      [1],
      [''],
      ['uuid'],
      ['Type'],
      ['metadata'],
      Array(101).fill('a'),
      ['x'.repeat(257)],
    ]) {
      const answer = await target().do(target().admin, 'POST', '/test/shop/others/_settings', {
        body: { hidden },
      })
      expect([answer.status, answer.body.error]).toEqual([400, 'illegal_argument'])
    }
  })

  it('stays hidden whatever else is set at the same moment, and who is refused has set nothing', async () => {
    await target().admins('POST', '/moments', { name: 'x', ssn: SSN })
    const settings: Record<string, unknown> = { hidden: ['ssn'], fields: ['name'], indexes: [['name']] }
    const answers = await Promise.all(
      Object.entries(settings).map(async ([name, value]) => {
        const answer = await target().do(target().admin, 'POST', '/test/shop/moments/_settings', {
          search: 'replace_all=false',
          body: { [name]: value },
        })
        return [name, answer.status] as const
      }),
    )
    const { data } = await target().admins('GET', '/moments/_settings')
    expect(answers.map(([, status]) => status)).toContain(200)
    for (const [name, status] of answers)
      expect([name, status, data[name]]).toEqual([
        name,
        status === 200 ? 200 : 409,
        status === 200 ? settings[name] : undefined,
      ])
  })
})

describe('what one of two processes hides', () => {
  it('is hidden by the other within a second, whatever it has remembered when', async () => {
    const place = await openTestDatabase('postgres')
    const time = { now: Date.UTC(2026, 0, 1) }
    const open = () =>
      openEngine({
        database: place.url,
        secret: 'a secret that only tests know, long enough',
        passwordCost: { memoryCost: 1024, timeCost: 1, parallelism: 1 },
        clock: () => time.now,
        ...place.options,
      })
    const [one, two] = [await open(), await open()]
    await one.bootstrap({ username: 'ada', password: 'a long password', organization: 'acme' })
    const ask = async (
      engine: typeof one,
      principal: Principal,
      method: 'GET' | 'POST',
      at: string,
      body = {},
    ) => {
      const path = `/acme/sandbox/${at}`
      const json = method === 'GET' ? {} : { body }
      return JSON.parse(
        (await engine.handle({ method, path, search: '', baseUrl: '', principal, ...json })).body,
      )
    }
    const admin: Principal = { kind: 'sysadmin' }
    const made = await ask(one, admin, 'POST', 'users', { username: 'eve' })
    const { application: app } = made
    const eve: Principal = { kind: 'user', app, uuid: made.entities[0].uuid, username: 'eve' }
    await ask(one, admin, 'POST', 'persons', { name: 'x', ssn: SSN })
    const seen = async () => (await ask(two, eve, 'GET', 'persons/x')).entities[0].ssn

    await ask(two, admin, 'GET', 'persons/x')
    time.now += 1
    await ask(one, admin, 'POST', 'persons/_settings', { hidden: ['ssn'] })
    time.now += 998
    await seen()
    time.now += 2
    expect(await seen()).toBeUndefined()

    for (const engine of [one, two]) await engine.close()
    await place.remove()
  })
})
