import { ConflictError, DuplicateError, inc, NotFoundError, PermissionError } from '@entigrid/sdk'
import { describe, expect, it } from 'vitest'
import { names, type OpenTarget, open } from './target.js'

const withPets = async (openTarget: OpenTarget) => {
  const opened = await open(openTarget)
  const ann = await opened.users.create({ username: 'ann' })
  const fido = await opened.dogs.create({ name: 'fido', age: 3 })
  const ball = await opened.toys.create({ name: 'ball', colour: 'red' })
  await opened.client.connect(fido, 'chews', ball)
  return { ...opened, ann, fido, ball }
}

export const batchSuite = (name: string, openTarget: OpenTarget): void => {
  describe(`a batch, ${name}`, () => {
    it('carries out all operations in order, and returns what they resulted in', async () => {
      await using app = await withPets(openTarget)

      const { rex, older, gone, liked, seen, count } = await app.client.batch((tx) => {
        const dogs = tx.collection('dogs')
        const older = dogs.update(app.fido, { age: inc() })
        const gone = tx.collection('toys').delete('ball')
        const rex = dogs.create({ name: '$rex', age: 1 })
        const liked = tx.connect(app.ann, 'likes', rex)
        return { rex, older, gone, liked, seen: dogs.get('$rex'), count: 5 }
      })

      expect(older).toMatchObject({ uuid: app.fido.uuid, age: 4 })
      expect(gone).toMatchObject({ name: 'ball', colour: 'red' })
      expect([liked.uuid, seen.uuid]).toEqual([rex.uuid, rex.uuid])
      expect(count).toBe(5)
      expect(names((await app.client.connected(app.ann, 'likes')).entities)).toEqual(['$rex'])
      await expect(app.toys.get('ball')).rejects.toBeInstanceOf(NotFoundError)
    })

    it('refers to what it makes itself, as place and as value', async () => {
      await using app = await withPets(openTarget)

      const [bone, rex] = await app.client.batch((tx) => {
        const rex = tx.collection('dogs').create({ name: 'rex', age: 7, motto: 'sit' })
        const bone = tx.collection('toys').create({ name: rex.ref('motto'), colour: rex.ref('uuid') })
        tx.connect(rex, 'chews', bone)
        tx.disconnect(app.fido, 'chews', app.ball)
        tx.collection('dogs').patch(rex, { motto: bone.ref('type'), address: { city: bone.ref('colour') } })
        return [bone, tx.collection('dogs').get(rex)]
      })

      expect(bone).toMatchObject({ name: 'sit', colour: rex.uuid })
      expect(rex).toMatchObject({ age: 7, motto: 'toy', address: { city: rex.uuid } })
      expect((await app.client.connected(rex, 'chews')).entities).toMatchObject([{ uuid: bone.uuid }])
      expect((await app.client.connected(app.fido, 'chews')).entities).toEqual([])
    })

    it('leaves nothing behind when one operation fails, and tells which', async () => {
      await using app = await withPets(openTarget)

      const batch = app.client.batch((tx) => {
        tx.collection('toys').create({ name: 'bone' })
        tx.collection('dogs').update('fido', { age: inc() })
        tx.collection('toys').create({ name: 'ball' })
      })

      await expect(batch).rejects.toBeInstanceOf(DuplicateError)
      await expect(batch).rejects.toMatchObject({ operation: 2, fields: [{ field: 'name' }] })
      expect(await app.dogs.get('fido')).toMatchObject({ age: 3 })
      expect(await app.toys.count()).toBe(1)
    })

    it('changes entities at hand only as they were read, and tells what met', async () => {
      await using app = await withPets(openTarget)
      await app.target.client().collection('dogs').update('fido', { age: 9 })

      const batch = app.client.batch((tx) => {
        tx.collection('toys').create({ name: 'bone' })
        return tx.collection('dogs').update(app.fido, { age: 4 })
      })

      await expect(batch).rejects.toBeInstanceOf(ConflictError)
      await expect(batch).rejects.toMatchObject({
        operation: 1,
        mine: { age: 4 },
        theirs: { age: 9 },
        base: { age: 3 },
      })
      await expect(
        app.client.batch((tx) => {
          tx.collection('dogs').get(app.fido, { ifMatch: true })
          tx.collection('toys').create({ name: 'bone' })
        }),
      ).rejects.toMatchObject({ operation: 0, mine: undefined, theirs: { age: 9 }, base: { age: 3 } })
      expect(await app.toys.count()).toBe(1)
    })

    it('results in entities that can be written on', async () => {
      await using app = await withPets(openTarget)
      const [rex, fido] = await app.client.batch((tx) => [
        tx.collection('dogs').create({ name: 'rex' }),
        tx.collection('dogs').get('fido'),
      ])
      await app.target.client().collection('dogs').update('fido', { age: 9 })

      expect(await app.dogs.update(rex, { age: 1 })).toMatchObject({ name: 'rex', age: 1 })
      await expect(app.dogs.update(fido, { age: 4 })).rejects.toBeInstanceOf(ConflictError)
    })

    it('has no more rights than its operations by themselves', async () => {
      await using app = await withPets(openTarget)
      const { clientId, clientSecret } = app.target
      const admin = app.target.client({ clientId, clientSecret })
      await admin.request('DELETE', '/roles/guest/permissions', {
        query: { permission: 'get,post,put,delete:/**' },
      })
      await admin.request('POST', '/roles/guest/permissions', { body: { permission: 'post,get:/toys/**' } })

      const batch = app.client.batch((tx) => [
        tx.collection('toys').create({ name: 'bone' }),
        tx.collection('dogs').create({ name: 'rex' }),
      ])

      await expect(batch).rejects.toBeInstanceOf(PermissionError)
      await expect(batch).rejects.toMatchObject({ operation: 1 })
      expect(await app.toys.count()).toBe(1)
    })

    it('is not sent when there is nothing to do, or the function fails, and takes nothing up afterwards', async () => {
      await using app = await withPets(openTarget)
      let late = (): unknown => undefined

      expect(await app.client.batch(async () => 'nothing')).toBe('nothing')
      const failed = app.client.batch(async (tx) => {
        tx.collection('toys').create({ name: 'bone' })
        throw new Error('changed my mind')
      })
      await expect(failed).rejects.toThrow('changed my mind')
      await app.client.batch((tx) => {
        late = () => tx.collection('toys').create({ name: 'stick' })
        return tx.collection('dogs').get('fido')
      })
      expect(late).toThrow(TypeError)
      expect(await app.toys.count()).toBe(1)
    })
  })
}
