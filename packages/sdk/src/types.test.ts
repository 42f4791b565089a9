import { describe, expectTypeOf, it } from 'vitest'
import {
  collection,
  createClient,
  defineSchema,
  type Entity,
  type NewUserProperties,
  type Page,
  type UserProperties,
} from './index.js'

interface Dog {
  age: number
  breed?: 'corgi' | 'poodle'
  tags?: string[]
  address?: { city: string }
}

const schema = defineSchema({
  collections: {
    dogs: collection<Dog>(),
    toys: collection<{ colour: string }>(),
    users: collection<UserProperties, NewUserProperties>(),
  },
  connections: [
    { from: 'users', verb: 'likes', to: 'dogs' },
    { from: 'users', verb: 'owns', to: 'toys' },
    { from: 'dogs', verb: 'chews', to: 'toys' },
  ],
})

const place = { url: 'http://localhost', organization: 'demo', application: 'sandbox' }
const typed = createClient({ ...place, schema })
const untyped = createClient(place)
const ann = { collection: 'users', ref: 'ann' } as const
const fido = { collection: 'dogs', ref: 'fido' } as const
const ball = { collection: 'toys', ref: 'ball' } as const

/** Compiled, never run: whether this file compiles is the test. `tsc` fails for an expected error that is missing. */
const compiles = (_: () => unknown) => {}

describe('a client with a schema', () => {
  const dogs = typed.collection('dogs')

  it('knows the collections', () => {
    compiles(() => typed.collection('toys'))
    // @ts-expect-error there are no cats
    compiles(() => typed.collection('cats'))
    compiles(() =>
      defineSchema({
        collections: { dogs: collection<Dog>() },
        // @ts-expect-error a connection leads to a collection of the schema
        connections: [{ from: 'dogs', verb: 'chases', to: 'cats' }],
      }),
    )
  })

  it('knows what can be written', () => {
    compiles(() => dogs.create({ age: 3, name: 'fido', breed: 'corgi' }))
    compiles(() => typed.collection('users').create({ username: 'ann', password: 'correct horse' }))
    compiles(() => dogs.update('fido', { age: 4 }))
    compiles(() => dogs.update('fido', { breed: null }))
    // @ts-expect-error wrong value
    compiles(() => dogs.create({ age: 'three' }))
    // @ts-expect-error wrong value of a closed set
    compiles(() => dogs.create({ age: 3, breed: 'cat' }))
    // @ts-expect-error wrong property
    compiles(() => dogs.create({ age: 3, colour: 'red' }))
    // @ts-expect-error required property
    compiles(() => dogs.create({ name: 'fido' }))
    // @ts-expect-error wrong value
    compiles(() => dogs.createMany([{ age: 3 }, { age: true }]))
    // @ts-expect-error wrong property
    compiles(() => dogs.update('fido', { colour: 'red' }))
    // @ts-expect-error wrong value
    compiles(() => dogs.update('fido', { age: '4' }))
    // @ts-expect-error a required property cannot be removed
    compiles(() => dogs.update('fido', { age: null }))
    // @ts-expect-error wrong property
    compiles(() => dogs.updateWhere({ ql: 'age > 3' }, { colour: 'red' }))
  })

  it('knows what is read', () => {
    expectTypeOf(dogs.get).returns.resolves.toHaveProperty('age').toEqualTypeOf<number>()
    expectTypeOf(dogs.get).returns.resolves.toHaveProperty('breed').toEqualTypeOf<Dog['breed']>()
    expectTypeOf(dogs.get).returns.resolves.toHaveProperty('uuid').toEqualTypeOf<string>()
    expectTypeOf(typed.me).returns.resolves.toHaveProperty('username').toEqualTypeOf<string>()
    compiles(async () => {
      // @ts-expect-error wrong property
      return (await dogs.get('fido')).colour
    })
    compiles(async () => {
      for await (const dog of dogs.all()) expectTypeOf(dog).toEqualTypeOf<Entity<Dog, 'dogs'>>()
    })
    compiles(async () => {
      // @ts-expect-error a password is never read
      return (await typed.collection('users').get('ann')).password
    })
  })

  it('knows what can be asked', () => {
    compiles(() =>
      dogs.find((q) => q.where('age', '>', 2).where('breed', '=', 'corgi').where('tags', '=', 'old')),
    )
    compiles(() =>
      dogs.find((q) => q.where('address.city', '=', 'Oslo').where('created', '>', 0).orderBy('age')),
    )
    compiles(() => dogs.find({ ql: 'where age > 2', limit: 3 }))
    compiles(() => dogs.find(dogs.query().where('age', '>', 2).limit(3)))
    // @ts-expect-error a query of another collection
    compiles(() => dogs.find(typed.collection('toys').query().where('colour', '=', 'red')))
    // @ts-expect-error wrong property
    compiles(() => dogs.find((q) => q.where('colour', '=', 'red')))
    // @ts-expect-error wrong value
    compiles(() => dogs.find((q) => q.where('age', '>', '2')))
    // @ts-expect-error wrong value of a closed set
    compiles(() => dogs.find((q) => q.where('breed', '=', 'cat')))
    // @ts-expect-error wrong operator
    compiles(() => dogs.find((q) => q.where('age', '!=', 2)))
    // @ts-expect-error wrong property, inside a group
    compiles(() => dogs.find((q) => q.anyOf((group) => group.where('colour', '=', 'red'))))
    // @ts-expect-error a group has no limit
    compiles(() => dogs.find((q) => q.not((group) => group.limit(3))))
    // @ts-expect-error wrong property
    compiles(() => dogs.find((q) => q.orderBy('colour')))
    // @ts-expect-error wrong direction
    compiles(() => dogs.find((q) => q.orderBy('age', 'down')))
    // @ts-expect-error wrong property
    compiles(() => dogs.all((q) => q.contains('colour', 'red')))
  })

  it('knows what a selection leaves', () => {
    compiles(async () => {
      const { entities } = await dogs.find((q) => q.select('age').where('breed', '=', 'corgi'))
      const [dog] = entities
      expectTypeOf(dog!.age).toEqualTypeOf<number>()
      expectTypeOf(dog!.uuid).toEqualTypeOf<string>()
      // @ts-expect-error not selected
      return dog!.created
    })
    // @ts-expect-error wrong property
    compiles(() => dogs.find((q) => q.select('colour')))
  })

  it('knows which verbs connect what', () => {
    compiles(() => typed.connect(ann, 'likes', fido))
    compiles(() => typed.disconnect(fido, 'chews', ball))
    // @ts-expect-error wrong verb
    compiles(() => typed.connect(ann, 'hates', fido))
    // @ts-expect-error a verb of another collection
    compiles(() => typed.connect(fido, 'likes', ball))
    // @ts-expect-error wrong target
    compiles(() => typed.connect(ann, 'likes', ball))
    // @ts-expect-error wrong direction
    compiles(() => typed.disconnect(fido, 'likes', ann))
    // @ts-expect-error wrong verb
    compiles(() => typed.connected(fido, 'likes'))
    // @ts-expect-error nobody likes toys
    compiles(() => typed.connecting(ball, 'likes'))
    // @ts-expect-error wrong property of the target
    compiles(() => typed.connected(ann, 'likes', (q) => q.where('colour', '=', 'red')))
  })

  it('knows the collection of an entity it has read', () => {
    compiles(async () => {
      const dog = await dogs.get('fido')
      const toy = await typed.collection('toys').get('ball')
      await typed.connect(dog, 'chews', toy)
      // @ts-expect-error wrong verb for a dog
      await typed.connect(dog, 'owns', toy)
      // @ts-expect-error wrong target for a dog's verb
      await typed.connect(dog, 'chews', dog)
    })
  })

  it('knows what a connection leads to, in both directions', () => {
    compiles(async () => {
      expectTypeOf(await typed.connected(ann, 'likes')).toEqualTypeOf<Page<Entity<Dog, 'dogs'>>>()
      const owners = await typed.connecting(ball, 'owns', (q) => q.where('username', '=', 'ann'))
      expectTypeOf(owners.entities[0]!.username).toEqualTypeOf<string>()
      for await (const toy of typed.allConnected(fido, 'chews'))
        expectTypeOf(toy.colour).toEqualTypeOf<string>()
    })
  })
})

describe('a client without a schema', () => {
  it('takes any collection, property and verb', () => {
    compiles(() => untyped.collection('cats').create({ age: 3, friends: [{ name: 'tom' }], owner: null }))
    compiles(() =>
      untyped.collection('cats').find((q) => q.where('owner.name', '=', 'ann').where('age', '<', 3)),
    )
    compiles(() => untyped.connect({ collection: 'cats', ref: 'tom' }, 'chases', ball))
    compiles(async () => untyped.connect(await untyped.collection('cats').get('tom'), 'chases', ball))
    compiles(async () => (await untyped.collection('cats').get('tom'))['colour'])
  })

  it('refuses what is not JSON', () => {
    // @ts-expect-error a function
    compiles(() => untyped.collection('cats').create({ meow: () => {} }))
    // @ts-expect-error not a value to compare with
    compiles(() => untyped.collection('cats').find((q) => q.where('owner', '=', null)))
  })
})

describe('the place of the engine', () => {
  it('is a URL or an engine, not both and not neither', () => {
    const engine = { handle: async () => ({ status: 200, json: '{}' }) }
    compiles(() => createClient({ engine, organization: 'demo', application: 'sandbox' }))
    // @ts-expect-error both
    compiles(() => createClient({ ...place, engine }))
    // @ts-expect-error neither
    compiles(() => createClient({ organization: 'demo', application: 'sandbox' }))
  })
})
