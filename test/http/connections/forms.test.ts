import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Entity, namesOf, newCollection, type Reply, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('connections on %s', (database) => {
  const app = sharedApp(database)

  const world = async () => {
    const [cats, toys] = [newCollection(), newCollection()]
    const [tom, kit] = await app().create(cats, { name: 'tom' }, { name: 'kit' })
    const [ball, mouse] = await app().create(toys, { name: 'ball', size: 1 }, { name: 'mouse', size: 2 })
    return { cats, toys, tom: tom!, kit: kit!, ball: ball!, mouse: mouse! }
  }
  const likes = (path: string, params = {}) =>
    app()
      .get(path, params)
      .then(({ body }) => namesOf(body))
  const refused = ({ status, body }: Reply) => [status, body.error]
  const MISSING = [404, 'service_resource_not_found']
  const NOBODY = '00000000-0000-4000-8000-000000000000'

  describe('are made', () => {
    it.each([
      ['by uuid', (_: string, toy: Entity) => toy.uuid],
      ['by a uuid in capitals', (_: string, toy: Entity) => toy.uuid.toUpperCase()],
      ['by collection and name', (toys: string, toy: Entity) => `${toys}/${toy.name}`],
      ['by type and name', (_: string, toy: Entity) => `${toy.type}/${toy.name}`],
      ['by type and uuid', (_: string, toy: Entity) => `${toy.type}/${toy.uuid}`],
      [
        'by name in another case',
        (toys: string, toy: Entity) => `${toys.toUpperCase()}/${toy.name.toUpperCase()}`,
      ],
    ])('%s', async (_, address) => {
      const { cats, toys, tom, ball } = await world()

      const reply = await app().post(`/${cats}/tom/likes/${address(toys, ball)}`)

      expect(reply.status).toBe(200)
      expect(reply.body).toMatchObject({ action: 'post', path: `/${cats}/${tom.uuid}/likes` })
      expect(reply.body).not.toHaveProperty('count')
      expect(reply.body.entities).toEqual([
        expect.objectContaining({
          uuid: ball.uuid,
          name: 'ball',
          metadata: expect.objectContaining({
            path: `/${cats}/${tom.uuid}/likes/${ball.uuid}`,
            connecting: { likes: `/${cats}/${tom.uuid}/likes/${ball.uuid}/connecting/likes` },
          }),
        }),
      ])
      expect(await likes(`/${cats}/tom/likes`)).toEqual(['ball'])
    })

    it('with an empty object for a body, or none, and the noise word connections', async () => {
      const { cats, ball, mouse, kit } = await world()

      expect((await app().post(`/${cats}/tom/likes/${ball.uuid}`, {})).status).toBe(200)
      expect((await app().post(`/${cats}/tom/connections/likes/${mouse.uuid}`)).status).toBe(200)
      expect((await app().post(`/${cats}/tom/LIKES/${kit.uuid}/`)).status).toBe(200)
      expect(await likes(`/${cats}/tom/likes/`)).toEqual(['kit', 'mouse', 'ball'])
    })

    it('to a new entity of a type', async () => {
      const { cats, toys, tom } = await world()

      const created = await app().post(`/${cats}/tom/likes/${toys}`, { name: 'new', size: 3 })

      expect(created.status).toBe(200)
      const [entity] = created.body.entities
      expect(entity).toMatchObject({ type: toys.slice(0, -1), name: 'new', size: 3 })
      expect(entity.metadata.path).toBe(`/${cats}/${tom.uuid}/likes/${entity.uuid}`)
      expect(await likes(`/${cats}/tom/likes`)).toEqual(['new'])
      expect(await likes(`/${toys}/new`)).toEqual(['new'])
      expect(refused(await app().post(`/${cats}/tom/likes/${toys}`))).toEqual(MISSING)
      expect(refused(await app().post(`/${cats}/tom/likes/${toys}`, {}))).toEqual(MISSING)
      const taken = await app().post(`/${cats}/tom/likes/${toys}`, { name: 'NEW' })
      expect(refused(taken)).toEqual([400, 'duplicate_unique_property_exists'])
      expect(await likes(`/${cats}/tom/likes`)).toEqual(['new'])
    })

    it('only to what is there, from what is there', async () => {
      const { cats, toys, ball } = await world()

      expect(refused(await app().post(`/${cats}/tom/likes/${NOBODY}`))).toEqual(MISSING)
      expect(refused(await app().post(`/${cats}/tom/likes/${toys}/nothing`))).toEqual(MISSING)
      expect(refused(await app().post(`/${cats}/tom/likes/${cats}/${ball.uuid}`))).toEqual(MISSING)
      expect(refused(await app().post(`/${cats}/nobody/likes/${ball.uuid}`))).toEqual(MISSING)
      expect(refused(await app().post(`/${cats}/${NOBODY}/likes/${ball.uuid}`))).toEqual(MISSING)
      expect(await likes(`/${cats}/tom/likes`)).toEqual([])
    })

    it('not without a target', async () => {
      const { cats } = await world()

      for (const body of [undefined, {}, { name: 'x' }]) {
        const { status, body: error } = await app().post(`/${cats}/tom/likes`, body)
        expect([status, error.error]).toEqual([400, 'illegal_argument'])
        expect(error.error_description).toMatch(/name/i)
      }
    })

    it('once, and move to the front when made again', async () => {
      const { cats, ball, mouse } = await world()
      await app().post(`/${cats}/tom/likes/${ball.uuid}`)
      await app().post(`/${cats}/tom/likes/${mouse.uuid}`)

      await app().post(`/${cats}/tom/likes/${ball.uuid}`)
      expect(await likes(`/${cats}/tom/likes`)).toEqual(['ball', 'mouse'])
      await app().put(`/${cats}/tom/likes/${mouse.uuid}`, { size: 7 })
      expect(await likes(`/${cats}/tom/likes`)).toEqual(['mouse', 'ball'])
      await app().put(`/${(await app().get(`/${cats}/tom/likes`)).body.entities[1].metadata.path.slice(1)}`, {
        size: 8,
      })
      expect(await likes(`/${cats}/tom/likes`)).toEqual(['ball', 'mouse'])
    })

    it('to the entity itself, and by verbs that other types use for lists', async () => {
      const { cats, tom, kit } = await world()

      for (const verb of ['self', 'users', 'devices', 'feed', 'permissions', 'any', 'password']) {
        expect([verb, (await app().post(`/${cats}/tom/${verb}/${tom.uuid}`)).status]).toEqual([verb, 200])
        expect([verb, await likes(`/${cats}/tom/${verb}`)]).toEqual([verb, ['tom']])
      }
      await app().post(`/${cats}/tom/größe-1.x/${kit.uuid}`)
      expect(await likes(`/${cats}/tom/${encodeURIComponent('GRÖSSE-1.X'.toLowerCase())}`)).toEqual([])
      expect(await likes(`/${cats}/tom/${encodeURIComponent('größe-1.x')}`)).toEqual(['kit'])
    })
  })

  describe('are written through', () => {
    it('by uuid: the target is updated and connected', async () => {
      const { cats, tom, ball } = await world()

      const reply = await app().put(`/${cats}/tom/likes/${ball.uuid}`, { size: 9 })

      expect([reply.status, reply.body.entities[0].size]).toEqual([200, 9])
      expect(reply.body.entities[0].metadata.path).toBe(`/${cats}/${tom.uuid}/likes/${ball.uuid}`)
      expect(await likes(`/${cats}/tom/likes`)).toEqual(['ball'])
    })

    it('by type and uuid: a target that is not there is created', async () => {
      const { cats, toys, ball } = await world()
      const uuid = '11111111-2222-4333-8444-555555555555'

      const reply = await app().put(`/${cats}/tom/likes/${toys}/${uuid}`, { size: 4 })

      expect([reply.status, reply.body.entities[0]]).toMatchObject([200, { uuid, size: 4 }])
      expect((await app().get(`/${toys}/${uuid}`)).body.entities[0].size).toBe(4)
      expect((await app().get(`/${cats}/tom/likes`)).body.entities[0].uuid).toBe(uuid)
      expect(refused(await app().put(`/${cats}/tom/likes/${NOBODY}`, { size: 4 }))).toEqual(MISSING)
      expect(refused(await app().put(`/${cats}/tom/likes/${cats}/${ball.uuid}`, { size: 4 }))).toEqual(
        MISSING,
      )
      expect((await app().get(`/${toys}/ball`)).body.entities[0].size).toBe(1)
    })

    it('by type and name: only what is connected is updated', async () => {
      const { cats, toys, ball } = await world()

      expect(refused(await app().put(`/${cats}/tom/likes/${toys}/ball`, { size: 5 }))).toEqual(MISSING)
      await app().post(`/${cats}/tom/likes/${ball.uuid}`)
      const reply = await app().put(`/${cats}/tom/likes/${toys}/ball`, { size: 5 })
      expect([reply.status, reply.body.entities[0].size]).toEqual([200, 5])
    })
  })

  describe('are ended', () => {
    it.each([
      ['by uuid', (_: string, toy: Entity) => toy.uuid],
      ['by collection and name', (toys: string, toy: Entity) => `${toys}/${toy.name}`],
      ['by type and uuid', (_: string, toy: Entity) => `${toy.type}/${toy.uuid}`],
    ])('%s, and again without complaint', async (_, address) => {
      const { cats, toys, tom, ball, mouse } = await world()
      for (const toy of [ball, mouse]) await app().post(`/${cats}/tom/likes/${toy.uuid}`)

      const ended = await app().delete(`/${cats}/tom/likes/${address(toys, ball)}`)

      expect([ended.status, namesOf(ended.body)]).toEqual([200, ['ball']])
      expect(ended.body).toMatchObject({ action: 'delete', path: `/${cats}/${tom.uuid}/likes` })
      expect(ended.body.entities[0].metadata).not.toHaveProperty('connecting')
      expect(await likes(`/${cats}/tom/likes`)).toEqual(['mouse'])
      expect((await app().delete(`/${cats}/tom/likes/${address(toys, ball)}`)).status).toBe(200)
      expect(await likes(`/${toys}`)).toEqual(['mouse', 'ball'])
    })

    it('one at a time', async () => {
      const { cats, ball } = await world()
      await app().post(`/${cats}/tom/likes/${ball.uuid}`)

      expect(refused(await app().delete(`/${cats}/tom/likes`))).toEqual([
        405,
        'unsupported_service_operation',
      ])
      expect(refused(await app().delete(`/${cats}/tom/likes`, { ql: 'size = 1' }))[0]).toBe(405)
      expect(refused(await app().delete(`/${cats}/tom/likes/${NOBODY}`))).toEqual(MISSING)
      expect(refused(await app().delete(`/${cats}/nobody/likes/${ball.uuid}`))).toEqual(MISSING)
      expect(await likes(`/${cats}/tom/likes`)).toEqual(['ball'])
    })

    it('with either of their ends, and only then', async () => {
      const { cats, toys, tom, kit, ball } = await world()
      for (const cat of [tom, kit]) await app().post(`/${cats}/${cat.uuid}/likes/${ball.uuid}`)

      await app().put(`/${cats}/tom`, { age: 3 })
      await app().put(`/${toys}/ball`, { size: 3 })
      expect(await likes(`/${toys}/ball/connecting/likes`)).toEqual(['kit', 'tom'])
      await app().delete(`/${cats}/kit`)
      expect(await likes(`/${toys}/ball/connecting/likes`)).toEqual(['tom'])
      await app().delete(`/${toys}/ball`)
      expect(await likes(`/${cats}/tom/likes`)).toEqual([])
      expect((await app().get(`/${cats}/tom`)).body.entities[0].metadata).not.toHaveProperty('connections')
    })
  })

  describe('are read', () => {
    it('as a list, of one type, by a query, and one by one', async () => {
      const { cats, toys, kit, ball, mouse } = await world()
      for (const target of [ball, kit, mouse]) await app().post(`/${cats}/tom/likes/${target.uuid}`)
      const path = `/${cats}/tom/likes`

      expect(await likes(path)).toEqual(['mouse', 'kit', 'ball'])
      expect(await likes(`/${cats}/tom/connections/likes`)).toEqual(['mouse', 'kit', 'ball'])
      expect(await likes(`${path}/${toys}`)).toEqual(['mouse', 'ball'])
      expect(await likes(`${path}/${ball.type}`)).toEqual(['mouse', 'ball'])
      expect(await likes(`${path}/nothing`)).toEqual([])
      expect(await likes(`${path}/any`)).toEqual(['mouse', 'kit', 'ball'])
      expect(await likes(path, { ql: 'size > 1' })).toEqual(['mouse'])
      expect(await likes(`${path}/${toys}`, { ql: 'size > 0 order by size' })).toEqual(['ball', 'mouse'])
      expect(await likes(`${path}/any`, { ql: "name = 'kit' or size = 1" })).toEqual(['kit', 'ball'])
      expect(await likes(`${path};ql=size = 1`)).toEqual(['ball'])
      expect(await likes(`${path}/${ball.uuid}`)).toEqual(['ball'])
      expect(await likes(`${path}/${toys}/ball`)).toEqual(['ball'])
      expect(await likes(`${path}/${ball.type}/${ball.uuid}`)).toEqual(['ball'])
      expect(await likes(`/${cats}/tom/hates`)).toEqual([])
    })

    it('not where there are none', async () => {
      const { cats, toys, ball, mouse } = await world()
      await app().post(`/${cats}/tom/likes/${mouse.uuid}`)

      for (const path of [
        `/${cats}/tom/likes/${ball.uuid}`,
        `/${cats}/tom/likes/${toys}/ball`,
        `/${cats}/tom/likes/${NOBODY}`,
        `/${cats}/tom/likes/any/mouse`,
        `/${cats}/tom/likes/${cats}/${mouse.uuid}`,
        `/${cats}/tom/hates/${mouse.uuid}`,
        `/${cats}/nobody/likes`,
        `/${cats}/tom/likes/${ball.uuid}/made-of`,
      ]) {
        expect([path, ...refused(await app().get(path))]).toEqual([path, ...MISSING])
      }
    })

    it('up to a thousand on one page, and in pages', async () => {
      const { cats, toys } = await world()
      const bodies = Array.from({ length: 30 }, (_, n) => ({ name: `n${n}`, n, odd: n % 2 }))
      await app().post(`/${cats}/tom/likes/${toys}`, bodies)
      const path = `/${cats}/tom/likes`

      expect(await likes(path)).toHaveLength(30)
      expect((await app().get(path)).body).not.toHaveProperty('cursor')
      for (const list of [path, `${path}/${toys}`, `/${cats}/tom/connections`]) {
        for (const ql of ['', 'odd = 1', 'odd = 1 order by n', 'order by odd desc, n', 'not odd = 1']) {
          const whole = await likes(list, { ql })
          for (const limit of [1, 7, whole.length]) {
            const pages = await app().pages(list, { ql, limit })
            expect([list, ql, pages.flat().map(({ name }) => name)]).toEqual([list, ql, whole])
            expect(pages).toHaveLength(Math.ceil(whole.length / limit))
          }
        }
      }
    })
  })
})
