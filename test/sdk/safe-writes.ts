import {
  add,
  addUnique,
  ConflictError,
  etagOf,
  inc,
  NotFoundError,
  remove,
  unset,
  ValidationError,
} from '@entigrid/sdk'
import { describe, expect, it } from 'vitest'
import { type OpenTarget, open } from './target.js'

const withFido = async (openTarget: OpenTarget) => {
  const opened = await open(openTarget)
  const fido = await opened.dogs.create({ name: 'fido', age: 3, breed: 'corgi', tags: ['old'] })
  return { ...opened, fido }
}

const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => error,
  )

export const changeSuite = (name: string, openTarget: OpenTarget): void => {
  describe(`a change of what is there, ${name}`, () => {
    it('adds, appends and removes', async () => {
      await using app = await withFido(openTarget)

      await app.dogs.update('fido', { age: inc(2), tags: add('small', 'old'), breed: unset() })
      await app.dogs.update('fido', { age: inc(), tags: addUnique('old', 'loud') })
      const fido = await app.dogs.update('fido', { age: inc(-0.5), tags: remove('old') })

      expect(fido).toMatchObject({ age: 5.5, tags: ['small', 'loud'] })
      expect(fido).not.toHaveProperty('breed')
    })

    it('is exact however many make it at once', async () => {
      await using app = await withFido(openTarget)
      const clients = Array.from({ length: 8 }, () => app.target.client())

      await Promise.all(
        clients.flatMap((client) =>
          Array.from({ length: 5 }, () => client.collection('dogs').update(app.fido, { age: inc() })),
        ),
      )

      expect(await app.dogs.get('fido')).toMatchObject({ age: 43 })
    })

    it('is made of all that a query finds', async () => {
      await using app = await withFido(openTarget)
      await app.dogs.create({ name: 'rex', age: 1 })

      const older = await app.dogs.updateWhere((q) => q.orderBy('age'), { age: inc(), tags: add('new') })

      expect(older.map(({ age, tags }) => [age, tags])).toEqual(
        expect.arrayContaining([
          [2, ['new']],
          [4, ['old', 'new']],
        ]),
      )
    })

    it('is refused where the value is of another kind, and names the property', async () => {
      await using app = await withFido(openTarget)

      const error = await failure(app.dogs.update('fido', { breed: inc() as never }))

      expect(error).toBeInstanceOf(ValidationError)
      expect(error).toMatchObject({ code: 'illegal_argument', fields: [{ field: 'breed' }] })
    })

    it('is merged at every depth by a patch, of an entity that is there', async () => {
      await using app = await withFido(openTarget)
      await app.dogs.update('fido', { address: { city: 'Oslo', street: 'Gate' } })

      const fido = await app.dogs.patch('fido', { address: { street: null }, age: inc(), tags: ['new'] })

      expect(fido).toMatchObject({ age: 4, breed: 'corgi', tags: ['new'] })
      expect(fido.address).toEqual({ city: 'Oslo' })
      await expect(app.dogs.patch('rex', { age: 1 })).rejects.toBeInstanceOf(NotFoundError)
    })
  })
}

export const conditionSuite = (name: string, openTarget: OpenTarget): void => {
  describe(`a write of an entity at hand, ${name}`, () => {
    it('goes on from what the write before returned', async () => {
      await using app = await withFido(openTarget)

      const older = await app.dogs.update(app.fido, { age: 4 })
      const wiser = await app.dogs.patch(older, { motto: 'wait' })
      await app.dogs.delete(wiser, { ifMatch: true })

      expect(wiser).toMatchObject({ age: 4, motto: 'wait' })
    })

    it.each(['update', 'patch'] as const)('is a conflict by %s if others have changed it', async (method) => {
      await using app = await withFido(openTarget)
      await app.target.client().collection('dogs').update('fido', { age: 9 })
      const draft = Object.assign({ ...app.fido }, { age: 4 })

      const error = await failure(app.dogs[method](draft, { age: 4, breed: null }))

      expect(error).toBeInstanceOf(ConflictError)
      expect(error).toMatchObject({
        code: 'precondition_failed',
        status: 412,
        mine: { age: 4, breed: null },
        theirs: { uuid: app.fido.uuid, age: 9, breed: 'corgi' },
        base: { uuid: app.fido.uuid, age: 3, breed: 'corgi' },
      })
      const { theirs } = error as ConflictError
      expect(await app.dogs.update(theirs!, { age: 10 })).toMatchObject({ age: 10 })
    })

    it.each(['find', 'connected'] as const)(
      'is a conflict, too, where it was read in a list, by %s',
      async (list) => {
        await using app = await withFido(openTarget)
        const client = app.target.client()
        const ann = await client.collection('users').create({ username: 'ann' })
        await client.connect(ann, 'likes', app.fido)
        const { entities } =
          list === 'find'
            ? await app.dogs.find({ ql: "where name = 'fido'" })
            : await client.connected(ann, 'likes')
        const listed = entities[0] as typeof app.fido
        await app.dogs.update('fido', { age: 9 })

        const error = await failure(app.dogs.update(listed, { age: 4 }))

        expect(error).toMatchObject({ theirs: { age: 9 }, base: { age: 3 } })
        expect(listed.metadata).not.toHaveProperty('etag')
        await app.dogs.update((await app.dogs.find()).entities[0]!, { age: 10 })
      },
    )

    it('does not bring back what others have deleted', async () => {
      await using app = await withFido(openTarget)
      await app.dogs.delete('fido')

      const error = await failure(app.dogs.update(app.fido, { age: 4 }))

      expect(error).toBeInstanceOf(ConflictError)
      expect(error).toMatchObject({ mine: { age: 4 }, theirs: undefined, base: { age: 3 } })
      expect(await app.dogs.count()).toBe(0)
    })

    it('has no condition where it is turned off, by name, after a bulk change, and for relative changes', async () => {
      await using app = await withFido(openTarget)
      const [changed] = await app.dogs.updateWhere({ ql: 'select *' }, { breed: 'corgi' })
      const another = () =>
        app.target
          .client()
          .collection('dogs')
          .update('fido', { motto: `${Math.random()}` })

      await another()
      await app.dogs.update(app.fido, { age: 4 }, { ifMatch: false })
      await another()
      await app.dogs.update('fido', { breed: 'poodle' })
      await another()
      await app.dogs.update(changed!, { tags: ['big'] })
      await another()
      await app.dogs.patch(app.fido, { age: inc(), tags: addUnique('loud') })
      await another()

      expect(await app.dogs.delete(app.fido)).toMatchObject({
        age: 5,
        breed: 'poodle',
        tags: ['big', 'loud'],
      })
    })

    it('has the condition that is asked for', async () => {
      await using app = await withFido(openTarget)
      const tag = etagOf(await app.dogs.get('fido'))!

      const { age: _, ...copy } = JSON.parse(JSON.stringify(app.fido)) as typeof app.fido

      await app.dogs.update('fido', { age: 4 }, { ifMatch: tag })

      await expect(app.dogs.update('fido', { age: inc() }, { ifMatch: tag })).rejects.toThrow(ConflictError)
      await expect(app.dogs.delete(app.fido, { ifMatch: true })).rejects.toMatchObject({ theirs: { age: 4 } })
      await expect(app.dogs.update('rex', { age: 1 }, { ifMatch: '*' })).rejects.toThrow(ConflictError)
      await expect(app.dogs.update(copy, { age: 5 }, { ifMatch: true })).rejects.toThrow(TypeError)
      expect(await app.dogs.get('fido')).toMatchObject({ age: 4 })
    })

    it('may ask that there is none yet', async () => {
      await using app = await withFido(openTarget)

      const rex = await app.dogs.createAs('rex', { age: 1 })
      const error = await failure(app.dogs.createAs('fido', { age: 1 }))

      expect(await app.dogs.get('rex')).toMatchObject({ uuid: rex.uuid, age: 1 })
      expect(error).toBeInstanceOf(ConflictError)
      expect(error).toMatchObject({ mine: { age: 1 }, theirs: { name: 'fido', age: 3 }, base: undefined })
    })

    it('can be prepared by reading only what has changed', async () => {
      await using app = await withFido(openTarget)
      const fido = await app.dogs.get('fido')

      const same = await app.dogs.refresh(fido)
      await app.target.client().collection('dogs').update('fido', { age: 4 })
      const fresh = await app.dogs.refresh(fido)

      expect(same).toBe(fido)
      expect(fresh).toMatchObject({ age: 4 })
      expect(await app.dogs.update(fresh, { age: 5 })).toMatchObject({ age: 5 })
    })
  })

  describe(`a modification, ${name}`, () => {
    it('is made of what is there, however many make one at once', async () => {
      await using app = await withFido(openTarget)
      const dogs = Array.from({ length: 6 }, () => app.target.client().collection('dogs'))

      await Promise.all(dogs.map((each) => each.modify('fido', ({ age = 0 }) => ({ age: age * 2 }))))

      expect(await app.dogs.get('fido')).toMatchObject({ age: 3 * 2 ** 6 })
    })

    it('is not made where the function finds nothing to change', async () => {
      await using app = await withFido(openTarget)
      const buy = async ({ age = 0 }) => (age > 2 ? { age: inc(-1) } : undefined)

      await app.dogs.modify('fido', buy)
      const last = await app.dogs.modify(app.fido, buy)

      expect(last).toMatchObject({ age: 2 })
      expect(last.modified).toBe((await app.dogs.get('fido')).modified)
    })

    it('is given up when others come first each time', async () => {
      await using app = await withFido(openTarget)
      let tries = 0

      const error = await failure(
        app.dogs.modify(
          'fido',
          async () => {
            await app.target.client().collection('dogs').update('fido', { age: inc() })
            return { motto: `try ${++tries}` }
          },
          { attempts: 3 },
        ),
      )

      expect(error).toBeInstanceOf(ConflictError)
      expect(error).toMatchObject({ mine: { motto: 'try 3' }, theirs: { age: 6 }, base: { age: 5 } })
      expect(tries).toBe(3)
    })
  })
}
