import { describe, expectTypeOf, it } from 'vitest'
import {
  type Administrator,
  add,
  addUnique,
  ConflictError,
  collection,
  createAdminClient,
  createClient,
  defineSchema,
  type Entity,
  inc,
  type NewUserProperties,
  type Page,
  type PasskeyAnswer,
  remove,
  SecondFactorEnrolmentRequired,
  SecondFactorRequired,
  type Untyped,
  type UserProperties,
  unset,
} from './index.js'

interface Dog {
  age: number
  breed?: 'corgi' | 'poodle'
  tags?: string[]
  sizes?: ('small' | 'big')[]
  address?: { city: string; floor?: number }
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

/** As the types of browsers have it, in what matters. */
declare const PublicKeyCredentialLike: {
  parseCreationOptionsFromJSON(options: PublicKeyCredentialCreationOptionsJSON): PasskeyAnswer
  parseRequestOptionsFromJSON(options: PublicKeyCredentialRequestOptionsJSON): PasskeyAnswer
}

/** Compiled, never run: whether this file compiles is the test. `tsc` fails for an expected error that is missing. */
const compiles = (_: (unknown: unknown) => unknown) => {}

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

  it('knows which operators a property takes', () => {
    compiles(() => dogs.update('fido', { age: inc(), tags: add('old', 'loud'), breed: unset() }))
    compiles(() => dogs.update('fido', { sizes: addUnique('small', 'big') }))
    compiles(() => dogs.updateWhere({ ql: 'age > 3' }, { sizes: remove('small'), tags: unset() }))
    compiles(() => dogs.modify('fido', ({ age }) => (age > 3 ? { age: inc(-1) } : undefined)))
    // @ts-expect-error not a number
    compiles(() => dogs.update('fido', { breed: inc() }))
    // @ts-expect-error not a number, but an array
    compiles(() => dogs.update('fido', { tags: inc() }))
    // @ts-expect-error not an array
    compiles(() => dogs.update('fido', { age: add(3) }))
    // @ts-expect-error wrong element
    compiles(() => dogs.update('fido', { tags: add(3) }))
    // @ts-expect-error wrong element of a closed set
    compiles(() => dogs.update('fido', { sizes: addUnique('huge') }))
    // @ts-expect-error a required property cannot be removed
    compiles(() => dogs.update('fido', { age: unset() }))
    // @ts-expect-error operators change what is there
    compiles(() => dogs.create({ age: inc() }))
    // @ts-expect-error wrong property
    compiles(() => dogs.modify('fido', () => ({ colour: 'red' })))
  })

  it('knows what a patch can merge', () => {
    compiles(() => dogs.patch('fido', { address: { city: 'Oslo' } }))
    compiles(() => dogs.patch('fido', { address: { floor: inc() }, sizes: ['big'] }))
    compiles(() => dogs.patch('fido', { address: { floor: null }, breed: null }))
    compiles(() => dogs.patch('fido', { address: null }))
    // @ts-expect-error wrong value in the depth
    compiles(() => dogs.patch('fido', { address: { city: 3 } }))
    // @ts-expect-error a required property in the depth
    compiles(() => dogs.patch('fido', { address: { city: null } }))
    // @ts-expect-error wrong property in the depth
    compiles(() => dogs.patch('fido', { address: { country: 'Norway' } }))
    // @ts-expect-error not a number
    compiles(() => dogs.patch('fido', { address: { city: inc() } }))
    // @ts-expect-error an update replaces whole objects
    compiles(() => dogs.update('fido', { address: { floor: 3 } }))
  })

  it('knows what a batch results in', () => {
    compiles(async () => {
      const [dog, toy] = await typed.batch((tx) => [
        tx.collection('dogs').create({ age: 3 }),
        tx.collection('toys').get('ball'),
      ])
      expectTypeOf(dog).toEqualTypeOf<Entity<Dog, 'dogs'>>()
      expectTypeOf(toy.colour).toEqualTypeOf<string>()
      const results = await typed.batch(async (tx) => ({
        chewed: tx.connect(fido, 'chews', ball),
        fido: tx.collection('dogs').update('fido', { age: inc() }),
        times: 3,
      }))
      expectTypeOf(results.chewed.colour).toEqualTypeOf<string>()
      expectTypeOf(results.fido.age).toEqualTypeOf<number>()
      expectTypeOf(results.times).toExtend<number>()
      const one = await typed.batch((tx) => tx.collection('users').create({ username: 'ann' }))
      expectTypeOf(one.username).toEqualTypeOf<string>()
      expectTypeOf(
        await typed.batch((tx) => void tx.collection('dogs').delete('fido')),
      ).toEqualTypeOf<undefined>()
    })
  })

  it('knows what the operations of a batch may refer to', () => {
    compiles(() =>
      typed.batch((tx) => {
        const dog = tx.collection('dogs').create({ age: 3 })
        const toy = tx.collection('toys').create({ colour: dog.ref('uuid') })
        tx.connect(dog, 'chews', toy)
        tx.collection('dogs').update(dog, { age: dog.ref('created') })
        tx.collection('dogs').patch('fido', { address: { city: toy.ref('colour') } })
        // @ts-expect-error wrong value
        tx.collection('dogs').update(dog, { age: toy.ref('colour') })
        // @ts-expect-error wrong property
        dog.ref('colour')
        // @ts-expect-error wrong verb
        tx.connect(dog, 'likes', toy)
        // @ts-expect-error wrong target
        tx.connect(dog, 'chews', dog)
        // @ts-expect-error wrong collection
        tx.collection('cats')
        // @ts-expect-error only within the batch
        typed.connect(dog, 'chews', ball)
      }),
    )
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

  it('takes any operator, also in a batch', () => {
    compiles(() =>
      untyped.collection('cats').update('tom', { age: inc(), friends: add('kit'), owner: unset() }),
    )
    compiles(() => untyped.collection('cats').patch('tom', { home: { rooms: inc(), beds: remove('box') } }))
    compiles(() =>
      untyped.batch((tx) => {
        const tom = tx.collection('cats').create({ age: 3, friends: [{ name: 'kit' }] })
        tx.collection('cats').update('kit', { friends: [{ uuid: tom.ref('uuid') }], father: tom.ref('name') })
        return tx.connect(tom, 'chases', ball)
      }),
    )
  })

  it('refuses what is not JSON', () => {
    // @ts-expect-error a function
    compiles(() => untyped.collection('cats').create({ meow: () => {} }))
    // @ts-expect-error not a value to compare with
    compiles(() => untyped.collection('cats').find((q) => q.where('owner', '=', null)))
  })
})

describe('who is asking', () => {
  it('signs up as a user of the schema, and comes back as one', () => {
    compiles(async () => {
      const user = await typed.signUp({
        username: 'ann',
        password: 'correct horse',
        email: 'ann@example.org',
      })
      expectTypeOf(user).toEqualTypeOf<Entity<UserProperties, 'users'>>()
      const signedIn = await typed.signIn({ username: 'ann', password: 'x', refresh: true, code: '123456' })
      expectTypeOf(signedIn).toEqualTypeOf<typeof user>()
    })
    compiles(() => untyped.signUp({ username: 'ann', password: 'correct horse', city: 'Oslo' }))
    // @ts-expect-error a password is needed
    compiles(() => typed.signUp({ username: 'ann' }))
    // @ts-expect-error wrong property
    compiles(() => typed.signUp({ username: 'ann', password: 'x', city: 'Oslo' }))
    // @ts-expect-error wrong value
    compiles(() => typed.signIn({ username: 'ann', password: 'x', refresh: 'yes' }))
  })

  it('goes on with a second factor, of one kind', () => {
    compiles(async (error) => {
      if (!(error instanceof SecondFactorRequired)) throw error
      expectTypeOf(error.factors).toEqualTypeOf<readonly ('totp' | 'recovery' | 'passkey')[]>()
      await error.complete({ code: '123456' })
      await error.complete({ recoveryCode: 'ABCD' })
      // @ts-expect-error wrong kind
      await error.complete({ pin: '1234' })
      // @ts-expect-error none
      await error.complete({})
    })
    compiles((error) => error instanceof SecondFactorEnrolmentRequired && error.factors.addTotp())
  })

  it('lets the browser make and use passkeys, as JSON', () => {
    compiles(() =>
      typed.factors.addPasskey('phone', async (options) =>
        PublicKeyCredentialLike.parseCreationOptionsFromJSON(options),
      ),
    )
    compiles(() =>
      typed.signInWithPasskey(async (options) =>
        PublicKeyCredentialLike.parseRequestOptionsFromJSON(options),
      ),
    )
    // @ts-expect-error no answer
    compiles(() => typed.signInWithPasskey(async () => {}))
  })

  it('is in groups whose members are users of the schema', () => {
    compiles(async () => {
      const { entities } = await typed.groups.members('staff', (q) => q.where('username', '=', 'ann'))
      expectTypeOf(entities[0]!.username).toEqualTypeOf<string>()
      // @ts-expect-error wrong property
      await typed.groups.members('staff', (q) => q.where('colour', '=', 'red'))
      // @ts-expect-error a group has a path
      await typed.groups.create({ title: 'Staff' })
      await typed.roles.assign('clerk', entities[0]!)
      // @ts-expect-error not a permission string
      await typed.roles.grant('clerk', 3)
    })
  })

  it('is an administrator with organizations and applications', () => {
    compiles(async () => {
      const admin = createAdminClient({ url: 'http://localhost' })
      expectTypeOf(await admin.signIn('ada', 'x')).toEqualTypeOf<Administrator>()
      const shop = admin.application('acme', 'shop')
      expectTypeOf((await shop.credentials()).clientSecret).toEqualTypeOf<string>()
      await shop.setProvider('google', { issuer: 'https://accounts.google.com', clientId: 'x' })
      // @ts-expect-error an issuer is needed
      await shop.setProvider('google', { clientId: 'x' })
      // @ts-expect-error wrong value
      await admin.updateOrganization('acme', { settings: { enforce2fa: 'yes' } })
    })
  })
})

describe('a conflict', () => {
  it('has versions of the type that the catching code gives it', () => {
    compiles((error) => {
      if (!(error instanceof ConflictError)) throw error
      const { theirs, base }: ConflictError<Entity<Dog>> = error
      expectTypeOf(theirs).toEqualTypeOf<Entity<Dog> | undefined>()
      return base?.age
    })
    expectTypeOf<ConflictError['theirs']>().toEqualTypeOf<Entity<Untyped> | undefined>()
  })
})

describe('the place of the engine', () => {
  it('is a URL or an engine, not both and not neither', () => {
    const engine = { handle: async () => ({ status: 200, body: '{}' }) }
    compiles(() => createClient({ engine, organization: 'demo', application: 'sandbox' }))
    // @ts-expect-error both
    compiles(() => createClient({ ...place, engine }))
    // @ts-expect-error neither
    compiles(() => createClient({ organization: 'demo', application: 'sandbox' }))
  })
})
