import { DuplicateError, NotFoundError, ValidationError } from '@entigrid/sdk'
import { describe, expect, it } from 'vitest'
import { names, type OpenTarget, open } from './target.js'

const withNumbered = async (openTarget: OpenTarget, count: number) => {
  const opened = await open(openTarget)
  const dogs = Array.from({ length: count }, (_, age) => ({
    name: `dog-${age}`,
    age,
    breed: age % 2 ? 'odd' : 'even',
  }))
  await opened.dogs.createMany(dogs)
  return opened
}

export const entitySuite = (name: string, openTarget: OpenTarget): void => {
  describe(`one entity, ${name}`, () => {
    it('is created and found again by uuid and by name', async () => {
      await using app = await open(openTarget)

      const fido = await app.dogs.create({ name: 'fido', age: 3 })

      expect(fido).toMatchObject({
        type: 'dog',
        name: 'fido',
        age: 3,
        metadata: { path: `/dogs/${fido.uuid}` },
      })
      expect(fido.created).toBe(fido.modified)
      expect(await app.dogs.get('fido')).toMatchObject({ uuid: fido.uuid, age: 3 })
      expect(await app.dogs.get(fido.uuid)).toMatchObject({ name: 'fido' })
      expect(await app.dogs.get(fido)).toMatchObject({ name: 'fido' })
    })

    it('is not created twice under one name', async () => {
      await using app = await open(openTarget)
      await app.dogs.create({ name: 'fido' })

      const again = app.dogs.create({ name: 'FIDO' })

      await expect(again).rejects.toBeInstanceOf(DuplicateError)
      await expect(again).rejects.toMatchObject({
        code: 'duplicate_unique_property_exists',
        status: 400,
        fields: [{ field: 'name', message: expect.any(String) }],
      })
    })

    it.each(["O'Hara & söner", 'what? #1', 'a+b', 'Ünïcode 犬', 'back\\slash'])(
      'may be named "%s"',
      async (odd) => {
        await using app = await open(openTarget)
        const dog = await app.dogs.create({ name: odd })

        expect(await app.dogs.get(odd)).toMatchObject({ uuid: dog.uuid, name: odd })
        expect(await app.dogs.delete(odd)).toMatchObject({ uuid: dog.uuid })
      },
    )

    it('that is missing is an error with code and status', async () => {
      await using app = await open(openTarget)

      await expect(app.dogs.get('nobody')).rejects.toBeInstanceOf(NotFoundError)
      await expect(app.dogs.get('nobody')).rejects.toMatchObject({ code: 'entity_not_found', status: 404 })
      await expect(app.dogs.delete('nobody')).rejects.toMatchObject({ code: 'service_resource_not_found' })
    })

    it('keeps the properties that an update does not name, and loses those set to null', async () => {
      await using app = await open(openTarget)
      const fido = await app.dogs.create({ name: 'fido', age: 3, breed: 'corgi' })

      const older = await app.dogs.update('fido', { age: 4, breed: null })

      expect(older).toMatchObject({ uuid: fido.uuid, age: 4 })
      expect(await app.dogs.get('fido')).not.toHaveProperty('breed')
    })

    it('is created by an update that finds none', async () => {
      await using app = await open(openTarget)

      const rex = await app.dogs.update('rex', { age: 1 })

      expect(await app.dogs.get('rex')).toMatchObject({ uuid: rex.uuid, name: 'rex', age: 1 })
    })

    it('is returned when it is deleted, and gone afterwards', async () => {
      await using app = await open(openTarget)
      await app.dogs.create({ name: 'fido', age: 3 })

      expect(await app.dogs.delete('fido')).toMatchObject({ name: 'fido', age: 3 })

      await expect(app.dogs.get('fido')).rejects.toBeInstanceOf(NotFoundError)
    })
  })
}

export const listingSuite = (name: string, openTarget: OpenTarget): void => {
  describe(`many entities, ${name}`, () => {
    it('are created apart from those that cannot be, which are named', async () => {
      await using app = await open(openTarget)

      const { created, failed } = await app.dogs.createMany([{ name: 'a' }, { name: 'b' }, { name: 'A' }])

      expect(names(created)).toEqual(['a', 'b'])
      expect(failed).toEqual([
        expect.objectContaining({
          index: 2,
          code: 'duplicate_unique_property_exists',
          message: expect.any(String),
        }),
      ])
    })

    it('are listed newest first, page by page', async () => {
      await using app = await withNumbered(openTarget, 5)

      const first = await app.dogs.find({ limit: 3 })
      const second = await app.dogs.find({ limit: 3, cursor: first.cursor! })

      expect(names(first.entities)).toEqual(['dog-4', 'dog-3', 'dog-2'])
      expect(names(second.entities)).toEqual(['dog-1', 'dog-0'])
      expect(second.cursor).toBeUndefined()
    })

    it('are found by a query, built or written', async () => {
      await using app = await withNumbered(openTarget, 10)

      const built = await app.dogs.find((q) =>
        q.where('age', '>=', 2).where('breed', '=', 'even').orderBy('age', 'desc').limit(3),
      )
      const written = await app.dogs.find({ ql: "age >= 2 and breed = 'EVEN' order by age desc", limit: 3 })

      expect(names(built.entities)).toEqual(['dog-8', 'dog-6', 'dog-4'])
      expect(names(written.entities)).toEqual(names(built.entities))
    })

    it('are found by groups of conditions', async () => {
      await using app = await withNumbered(openTarget, 10)

      const { entities } = await app.dogs.find((q) =>
        q
          .anyOf((q) =>
            q.where('age', '<', 2).allOf((q) => q.where('age', '>', 6).where('breed', '=', 'odd')),
          )
          .not((q) => q.where('age', '=', 0))
          .orderBy('age'),
      )

      expect(names(entities)).toEqual(['dog-1', 'dog-7', 'dog-9'])
    })

    it.each([
      "it's",
      'back\\slash',
      "\\' or age > 0 or motto = '",
      '100%41',
      'a+b%2Bc',
      'line\nbreak',
      '犬🐕',
    ])('are found by exactly the text %j', async (motto) => {
      await using app = await open(openTarget)
      await app.dogs.createMany([
        { name: 'right', motto, age: 1 },
        { name: 'wrong', motto: `${motto}!`, age: 1 },
      ])

      const { entities } = await app.dogs.find((q) => q.where('motto', '=', motto))

      expect(names(entities)).toEqual(['right'])
    })

    it('are found by words and by distance', async () => {
      await using app = await open(openTarget)
      await app.dogs.createMany([
        { name: 'near', motto: 'bark at the postman', location: { latitude: 37.33, longitude: -121.94 } },
        { name: 'far', motto: 'sleep', location: { latitude: 52.5, longitude: 13.4 } },
      ])

      const words = await app.dogs.find((q) => q.contains('motto', 'post*'))
      const place = await app.dogs.find((q) => q.within('location', 10_000, 37.32, -121.94))

      expect(names(words.entities)).toEqual(['near'])
      expect(names(place.entities)).toEqual(['near'])
    })

    it('come with the selected properties alone', async () => {
      await using app = await withNumbered(openTarget, 1)

      const { entities } = await app.dogs.find((q) => q.select('age'))

      expect(Object.keys(entities[0]!).sort()).toEqual(['age', 'metadata', 'type', 'uuid'])
    })

    it('are iterated over all pages, each once and in order', async () => {
      await using app = await withNumbered(openTarget, 23)

      const ages: unknown[] = []
      for await (const dog of app.dogs.all((q) => q.orderBy('age').limit(5))) ages.push(dog.age)

      expect(ages).toEqual(Array.from({ length: 23 }, (_, age) => age))
    })

    it('are updated and deleted by a query', async () => {
      await using app = await withNumbered(openTarget, 12)

      const updated = await app.dogs.updateWhere((q) => q.where('age', '>=', 2), { motto: 'grown up' })
      const deleted = await app.dogs.deleteWhere((q) =>
        q.where('motto', '=', 'grown up').where('breed', '=', 'odd'),
      )

      expect(updated).toHaveLength(10)
      expect(deleted).toHaveLength(5)
      expect(await app.dogs.count()).toBe(7)
    })

    it('are none where a query matches nothing', async () => {
      await using app = await withNumbered(openTarget, 1)

      expect(await app.dogs.find((q) => q.where('age', '>', 5))).toEqual({ entities: [] })
      expect(await app.dogs.updateWhere((q) => q.where('age', '>', 5), { motto: 'x' })).toEqual([])
      expect(await app.dogs.deleteWhere((q) => q.where('age', '>', 5))).toEqual([])
    })

    it('are counted, all or by a query, or along with a page', async () => {
      await using app = await withNumbered(openTarget, 12)

      const built = await app.dogs.find((q) => q.where('breed', '=', 'odd').limit(2).withTotal())
      const written = await app.dogs.find({ limit: 2, count: 'total' })

      expect(built).toMatchObject({ entities: [{ age: 11 }, { age: 9 }], total: 6 })
      expect(written).toMatchObject({ entities: [{ age: 11 }, { age: 10 }], total: 12 })
      expect(await app.dogs.find()).not.toHaveProperty('total')
      expect(await app.dogs.count()).toBe(12)
      expect(await app.dogs.count((q) => q.where('breed', '=', 'odd'))).toBe(6)
      expect(await app.toys.count()).toBe(0)
    })

    it('are not asked for by a malformed query', async () => {
      await using app = await open(openTarget)

      await expect(app.dogs.find({ ql: 'age >' })).rejects.toBeInstanceOf(ValidationError)
      await expect(app.dogs.find({ ql: 'age >' })).rejects.toMatchObject({ code: 'query_parse', status: 400 })
    })
  })
}
