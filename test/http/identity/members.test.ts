import { type ApiRequest, openEngine, type Principal } from '@entigrid/core'
import { DATABASES, openTestDatabase } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Caller, PASSWORD, sharedServer, type TestApplication, TIME } from '../../support/application.js'

type Method = ApiRequest['method']

const SYSADMIN: Principal = { kind: 'sysadmin' }
const MANAGEMENT = 'b6768a08-b5d5-11e3-a495-11ddb1de66c8'

describe.each(DATABASES)('members of organizations on %s', (database) => {
  const server = sharedServer(database)

  /** Two organizations whose owners share nothing: ada of `app`, bob of `other`. */
  const open = async () => {
    const [app, other] = [await server.application(), await server.application()]
    const guest = app.as(undefined, '')
    const { owner } = server.server
    const { access_token } = (await guest.post('/management/token', { grant_type: 'password', ...owner }))
      .body
    return {
      app,
      other,
      guest,
      ada: app.management,
      bob: other.management,
      sysadmin: app.as(access_token, ''),
      members: `/management/orgs/${app.organization}/users`,
    }
  }

  const uuidsOf = async (caller: Caller, path: string) =>
    (await caller.get(path)).body.data.map(({ uuid }: { uuid: string }) => uuid).sort()
  const own = ({ owner }: TestApplication, ...others: TestApplication[]) =>
    [owner.uuid, ...others.map((app) => app.owner.uuid)].sort()

  describe('are added', () => {
    it.each<['PUT' | 'POST', 'username' | 'email' | 'uuid']>([
      ['PUT', 'username'],
      ['PUT', 'email'],
      ['POST', 'uuid'],
    ])('by %s of a %s, with all rights at once', async (method, property) => {
      const { app, other, ada, bob, members } = await open()
      expect((await bob.get(`/management/orgs/${app.organization}`)).status).toBe(401)

      for (const _ of ['first', 'again']) {
        const { status, body } = await ada.send(method, `${members}/${other.owner[property]}`)

        expect(status).toBe(200)
        expect(body).toEqual({
          action: 'add user to organization',
          data: { user: expect.objectContaining({ uuid: other.owner.uuid, username: other.owner.username }) },
          timestamp: TIME,
          duration: TIME,
        })
      }
      expect(await uuidsOf(bob, members)).toEqual(own(app, other))
      expect((await bob.get(`/${app.name}/users`)).status).toBe(200)
    })

    it('with the credentials of the organization, and by the system administrator', async () => {
      const { app, other, guest, ada, sysadmin, members } = await open()
      const { client_id, client_secret } = (await ada.get(`/management/orgs/${app.organization}/credentials`))
        .body.credentials
      const form = new URLSearchParams({ client_id, client_secret })

      const added = await guest.put(`${members}/${other.owner.username}`, form)
      const self = await sysadmin.put(`${members}/me`)

      expect([added.status, self.status]).toEqual([200, 200])
      expect(await uuidsOf(ada, members)).toHaveLength(3)
    })

    it('only when they exist', async () => {
      const { ada, members } = await open()

      for (const ref of ['nobody', 'nobody@x.test', MANAGEMENT]) {
        const { status, body } = await ada.put(`${members}/${ref}`)
        expect([status, body.error]).toEqual([400, 'management'])
        expect(body.error_description).toContain(ref)
      }
    })
  })

  describe('are removed', () => {
    it('and have no rights from then on', async () => {
      const { app, other, ada, bob, members } = await open()
      await ada.put(`${members}/${other.owner.email}`)
      expect((await bob.get(members)).status).toBe(200)

      const { status, body } = await ada.delete(`${members}/${other.owner.username}`)

      expect(status).toBe(200)
      expect(body).toEqual({
        action: 'remove user from organization',
        data: { user: expect.objectContaining({ uuid: other.owner.uuid }) },
        timestamp: TIME,
        duration: TIME,
      })
      expect((await bob.get(members)).body.error).toBe('unauthorized')
      expect((await other.as(other.adminToken, `/${app.name}`).get('/credentials')).body.error).toBe(
        'unauthorized',
      )
      expect((await bob.get(`/management/orgs/${other.organization}`)).status).toBe(200)
      expect(await uuidsOf(ada, members)).toEqual(own(app))
    })

    it('also by themselves', async () => {
      const { app, other, ada, bob, members } = await open()
      await ada.put(`${members}/${other.owner.email}`)

      expect((await ada.delete(`${members}/me`)).status).toBe(200)

      expect((await ada.get(members)).status).toBe(401)
      expect(await uuidsOf(bob, members)).toEqual([other.owner.uuid])
      expect((await ada.get('/management/users/me')).body.data.organizations).toEqual({})
      expect((await app.admin.get('/credentials')).status).toBe(401)
    })

    it('but for the last one, also when the last two remove each other at once', async () => {
      const { app, other, ada, bob, sysadmin, members } = await open()

      const last = await ada.delete(`${members}/${app.owner.username}`)
      await ada.put(`${members}/${other.owner.username}`)
      await Promise.all([
        ada.delete(`${members}/${other.owner.uuid}`),
        bob.delete(`${members}/${app.owner.uuid}`),
      ])

      expect([last.status, last.body.error]).toEqual([400, 'unable_to_leave_organization'])
      expect(await uuidsOf(sysadmin, members)).toHaveLength(1)
    })

    it('unless they are none, of whom nothing is told', async () => {
      const { other, ada, members } = await open()

      for (const ref of [other.owner.username, other.owner.email, other.owner.uuid]) {
        const unknown = ref.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
        const [stranger, nobody] = [
          (await ada.delete(`${members}/${ref}`)).body,
          (await ada.delete(`${members}/${unknown}`)).body,
        ]
        expect([stranger.error, stranger.code]).toEqual(['management', 400])
        expect(stranger.error_description.replace(ref, unknown)).toBe(nobody.error_description)
      }
    })
  })

  it.each(['PUT', 'POST', 'DELETE'])('are decided about by members alone: %s', async (method) => {
    const { app, other, guest, ada, bob, members } = await open()
    const user = await app.signedUp('mia')

    for (const stranger of [guest, bob, app.as(user.token, '')])
      for (const organization of [app.organization, app.organizationUuid, 'nobody', MANAGEMENT])
        for (const ref of [app.owner.username, other.owner.uuid, 'nobody', 'me']) {
          const reply = await stranger.send(method, `/management/orgs/${organization}/users/${ref}`)
          expect([reply.status, reply.body.error, reply.body.error_description]).toEqual([
            401,
            'unauthorized',
            'No organization access authorized',
          ])
        }
    expect(await uuidsOf(ada, members)).toEqual(own(app))
  })
})

describe('two processes on one database', () => {
  const openTwo = async () => {
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
    const engines = [await open(), await open()] as const
    await engines[0].bootstrap({ username: 'ada', password: PASSWORD, organization: 'acme' })
    const ask = async (engine: 0 | 1, method: Method, path: string, more: Partial<ApiRequest> = {}) => {
      const asked = {
        method,
        path: `/management${path}`,
        search: '',
        baseUrl: '',
        principal: SYSADMIN,
        ...more,
      }
      const { status, body } = await engines[engine].handle(asked)
      return { status, body: JSON.parse(body) }
    }
    const addBob = async (organization: string): Promise<Principal> => {
      const { body } = await ask(0, 'POST', `/orgs/${organization}/users`, {
        body: { username: 'bob', email: 'bob@x.test', password: PASSWORD, invite: true },
      })
      return { kind: 'admin', uuid: body.data.user.uuid, username: 'bob' }
    }
    const close = async () => {
      for (const engine of engines) await engine.close()
      await place.remove()
    }
    return { ask, addBob, time, [Symbol.asyncDispose]: close }
  }

  it('know within a second who is no longer a member', async () => {
    await using two = await openTwo()
    const principal = await two.addBob('acme')
    const statusAt = async (engine: 0 | 1) =>
      (await two.ask(engine, 'GET', '/orgs/acme', { principal })).status
    expect([await statusAt(0), await statusAt(1)]).toEqual([200, 200])

    await two.ask(0, 'DELETE', '/orgs/acme/users/bob')

    expect(await statusAt(0)).toBe(401)
    two.time.now += 1000
    expect(await statusAt(1)).toBe(401)
  })

  it('leave one of the last two, who are removed at the same moment', async () => {
    await using two = await openTwo()
    const names = Array.from({ length: 8 }, (_, i) => `club${i}`)
    for (const organization of names) {
      await two.ask(0, 'POST', '/orgs', { body: { organization, email: 'ada@localhost' } })
      await two.addBob(organization)
    }

    const statuses = await Promise.all(
      names.map((name) =>
        Promise.all([
          two.ask(0, 'DELETE', `/orgs/${name}/users/ada`),
          two.ask(1, 'DELETE', `/orgs/${name}/users/bob`),
        ]),
      ),
    )

    for (const replies of statuses) expect(replies.map(({ status }) => status).sort()).toEqual([200, 400])
    for (const name of names)
      expect((await two.ask(0, 'GET', `/orgs/${name}/users`)).body.data).toHaveLength(1)
  })
})

describe('an administrator', () => {
  it('keeps his organization, whoever adds him to a thousand others', async () => {
    const place = await openTestDatabase('sqlite')
    const engine = await openEngine({
      database: place.url,
      secret: 'a secret that only tests know, long enough',
      passwordCost: { memoryCost: 1024, timeCost: 1, parallelism: 1 },
      ...place.options,
    })
    await engine.bootstrap({ username: 'ada', password: PASSWORD, organization: 'acme' })
    const ask = async (principal: Principal, method: Method, path: string, body?: object) => {
      const asked = { method, path: `/management${path}`, search: '', baseUrl: '', principal }
      const reply = await engine.handle({ ...asked, ...(body === undefined ? {} : { body: { ...body } }) })
      return { status: reply.status, body: JSON.parse(reply.body) }
    }
    const newAdmin = async (username: string): Promise<Principal> => {
      const account = { username, email: `${username}@x.test`, password: PASSWORD }
      const { body } = await ask(SYSADMIN, 'POST', '/users', account)
      return { kind: 'admin', uuid: body.data.user.uuid, username }
    }
    const bob = await newAdmin('bob')
    await ask(SYSADMIN, 'PUT', '/orgs/acme/users/bob')

    await Promise.all(
      Array.from({ length: 1000 }, (_, i) =>
        ask(SYSADMIN, 'POST', '/users/bob/orgs', { organization: `trap${i}` }),
      ),
    )
    expect((await ask(bob, 'GET', '/orgs/acme')).status).toBe(200)
    expect(Object.keys((await ask(bob, 'GET', '/users/bob/orgs')).body.data)).toHaveLength(1001)
    await engine.close()
    await place.remove()
  })
})
