import { describe, expect, it } from 'vitest'
import { baseOf, etagOf, withTag } from './entity-tag.js'

const plain = () => ({ uuid: 'd1', age: 3, tags: ['old'], metadata: { path: '/dogs/d1' } })
const read = () => withTag(plain(), '"t1"')

describe('the tag of an entity that was read', () => {
  it('cannot be seen', () => {
    const dog = read()

    expect(dog).toStrictEqual(plain())
    expect(JSON.stringify(dog)).toBe(JSON.stringify(plain()))
  })

  it.each<[string, (dog: ReturnType<typeof plain>) => object]>([
    ['a change', (dog) => Object.assign(dog, { age: 4 })],
    ['a copy with a change', (dog) => ({ ...dog, age: 4 })],
    ['being frozen', (dog) => Object.freeze(dog)],
    ['being wrapped in a proxy, at every depth', (dog) => deepProxy(dog)],
  ])('survives %s, as does what was read', (_, use) => {
    const dog = use(read())

    expect(etagOf(dog)).toBe('"t1"')
    expect(baseOf(dog)).toEqual(plain())
  })

  it('is lost, and not mistaken, with what is only like it', () => {
    expect(etagOf({ ...read(), uuid: 'd2' })).toBeUndefined()
    expect(etagOf(JSON.parse(JSON.stringify(read())))).toBeUndefined()
    expect(etagOf(plain())).toBeUndefined()
    expect(etagOf('fido')).toBeUndefined()
    expect(etagOf(undefined)).toBeUndefined()
  })

  it('is of the last time it was read', () => {
    expect(etagOf(withTag(read(), '"t2"'))).toBe('"t2"')
  })
})

/** As frameworks that watch objects make them. */
const deepProxy = <T extends object>(target: T): T =>
  new Proxy(target, {
    get: (object, key) => {
      const value = Reflect.get(object, key)
      return typeof value === 'object' && value !== null ? deepProxy(value) : value
    },
  })
