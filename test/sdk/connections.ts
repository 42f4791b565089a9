import { describe, expect, it } from 'vitest'
import { names, type OpenTarget, open } from './target.js'

const withFriends = async (openTarget: OpenTarget) => {
  const opened = await open(openTarget)
  const user = await opened.users.create({ username: 'ann' })
  const fido = await opened.dogs.create({ name: 'fido', age: 3 })
  const ball = await opened.toys.create({ name: 'ball', colour: 'red' })
  return { ...opened, user, fido, ball }
}

export const connectionSuite = (name: string, openTarget: OpenTarget): void => {
  describe(`a connection, ${name}`, () => {
    it('is followed in both directions', async () => {
      await using app = await withFriends(openTarget)

      const target = await app.client.connect({ collection: 'users', ref: 'ann' }, 'likes', app.fido)

      expect(target).toMatchObject({ uuid: app.fido.uuid })
      const liked = await app.client.connected(app.user, 'likes')
      const admirers = await app.client.connecting({ collection: 'dogs', ref: 'fido' }, 'likes')
      expect(liked.entities.map(({ uuid }) => uuid)).toEqual([app.fido.uuid])
      expect(admirers.entities.map(({ username }) => username)).toEqual(['ann'])
      expect((await app.client.connected(app.fido, 'chews')).entities).toEqual([])
    })

    it('leads to several collections, latest first, and can be queried', async () => {
      await using app = await withFriends(openTarget)

      await app.client.connect(app.user, 'likes', app.fido)
      await app.client.connect(app.user, 'likes', { collection: 'toys', ref: 'ball' })

      const all = await app.client.connected(app.user, 'likes')
      const red = await app.client.connected(app.user, 'likes', { ql: "colour = 'red'" })
      expect(names(all.entities)).toEqual(['ball', 'fido'])
      expect(names(red.entities)).toEqual(['ball'])
    })

    it('is iterated over all pages in both directions', async () => {
      await using app = await withFriends(openTarget)
      const { created } = await app.dogs.createMany(
        Array.from({ length: 7 }, (_, age) => ({ name: `dog-${age}`, age })),
      )
      for (const dog of created) await app.client.connect(dog, 'chews', app.ball)

      const chewers: unknown[] = []
      for await (const { name } of app.client.allConnecting(app.ball, 'chews', { limit: 3 }))
        chewers.push(name)
      const chewed: unknown[] = []
      for await (const { name } of app.client.allConnected(created[0]!, 'chews')) chewed.push(name)

      expect(chewers).toEqual(['dog-6', 'dog-5', 'dog-4', 'dog-3', 'dog-2', 'dog-1', 'dog-0'])
      expect(chewed).toEqual(['ball'])
    })

    it('is kept once however often it is made, and ended without harm to the entities', async () => {
      await using app = await withFriends(openTarget)
      await app.client.connect(app.user, 'likes', app.fido)
      await app.client.connect(app.user, 'likes', app.fido)

      expect((await app.client.connected(app.user, 'likes')).entities).toHaveLength(1)
      await app.client.disconnect(app.user, 'likes', app.fido)
      await app.client.disconnect(app.user, 'likes', app.fido)

      expect((await app.client.connected(app.user, 'likes')).entities).toEqual([])
      expect(await app.dogs.get('fido')).toMatchObject({ name: 'fido' })
    })

    it('needs both its ends', async () => {
      await using app = await withFriends(openTarget)

      const toNobody = app.client.connect(app.user, 'likes', { collection: 'dogs', ref: 'nobody' })
      const fromNobody = app.client.connect({ collection: 'users', ref: 'nobody' }, 'likes', app.fido)

      const missing = { name: 'NotFoundError', code: 'service_resource_not_found' }
      const [to, from] = await Promise.allSettled([toNobody, fromNobody])
      expect(to).toMatchObject({ status: 'rejected', reason: missing })
      expect(from).toMatchObject({ status: 'rejected', reason: missing })
    })
  })
}
