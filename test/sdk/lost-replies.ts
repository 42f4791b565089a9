import { ConnectionError, inc, UnavailableError } from '@entigrid/sdk'
import { describe, expect, it } from 'vitest'
import { names, type OpenTarget, open } from './target.js'

const withLosses = async (openTarget: OpenTarget) => {
  const opened = await open(openTarget)
  const losing = (lost: number) => opened.target.client({ lost, retry: { sleep: async () => {} } })
  return { ...opened, losing }
}

const isUnknown = (error: unknown) => error instanceof ConnectionError || error instanceof UnavailableError

export const lostReplySuite = (name: string, openTarget: OpenTarget): void => {
  describe(`when replies are lost after the work was done, ${name}`, () => {
    it('what was to be created is created once', async () => {
      await using app = await withLosses(openTarget)

      const dog = await app.losing(2).collection('dogs').create({ age: 3 })
      const { created, failed } = await app
        .losing(1)
        .collection('dogs')
        .createMany([{ name: 'a' }, { name: 'b' }, { name: 'A' }])

      expect(names(created)).toEqual(['a', 'b'])
      expect(failed).toMatchObject([{ index: 2, code: 'duplicate_unique_property_exists' }])
      expect(await app.dogs.count()).toBe(3)
      expect(await app.dogs.update(dog, { age: 4 })).toMatchObject({ uuid: dog.uuid, age: 4 })
    })

    it('what was to be connected is connected once, in its place', async () => {
      await using app = await withLosses(openTarget)
      const ann = await app.users.create({ username: 'ann' })
      const fido = await app.dogs.create({ name: 'fido' })

      expect(await app.losing(1).connect(ann, 'likes', fido)).toMatchObject({ name: 'fido' })

      expect((await app.client.connected(ann, 'likes')).entities).toHaveLength(1)
    })

    it('a batch is carried out once', async () => {
      await using app = await withLosses(openTarget)
      await app.dogs.create({ name: 'fido', age: 1 })

      const { fido, ball } = await app.losing(1).batch((tx) => ({
        fido: tx.collection('dogs').update('fido', { age: inc() }),
        ball: tx.collection('toys').create({ colour: 'red' }),
      }))

      expect(fido).toMatchObject({ age: 2 })
      expect(await app.dogs.get('fido')).toMatchObject({ age: 2 })
      expect(await app.toys.get(ball)).toMatchObject({ colour: 'red' })
      expect(await app.toys.count()).toBe(1)
    })

    it('what counts is counted once, and the caller told that this is not known', async () => {
      await using app = await withLosses(openTarget)
      const fido = await app.dogs.create({ name: 'fido', age: 1 })
      const lossy = () => app.losing(1).collection('dogs')

      const attempts = await Promise.allSettled([
        lossy().update('fido', { age: inc() }),
        lossy().patch(fido, { age: inc() }),
      ])
      const modified = await Promise.allSettled([lossy().modify('fido', ({ age = 0 }) => ({ age: age + 1 }))])

      for (const attempt of [...attempts, ...modified])
        expect(attempt).toMatchObject({ status: 'rejected', reason: expect.toSatisfy(isUnknown) })
      expect(await app.dogs.get('fido')).toMatchObject({ age: 4 })
    })

    it('what does the same again is done again', async () => {
      await using app = await withLosses(openTarget)
      await app.dogs.create({ name: 'fido', age: 1, breed: 'corgi' })
      const dogs = app.losing(2).collection('dogs')

      expect(await dogs.update('fido', { age: 4 })).toMatchObject({ age: 4 })

      expect(await app.losing(1).collection('dogs').patch('fido', { breed: null })).not.toHaveProperty(
        'breed',
      )
    })
  })
}
