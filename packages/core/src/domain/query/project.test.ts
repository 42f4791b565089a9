import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../json.js'
import { parseQuery } from './parse.js'
import { project } from './project.js'

const doc: JsonObject = {
  uuid: '4b9d2c10-6f1b-11ee-8c99-0242ac120002',
  type: 'activity',
  name: 'n',
  created: 1,
  SomeTestProp: 'x',
  actor: { displayName: 'Ann', email: 'ann@x.org', image: { url: '/a', width: 5 } },
  friends: [{ name: 'Bob', age: 3 }, { name: 'Eve' }, 'none', { age: 4 }],
  'gcm.notifier.id': 'abc',
  tags: ['a', 'b'],
  metadata: { path: '/activities/x', size: 9 },
}
const implicit = { uuid: doc['uuid'], type: 'activity', metadata: doc['metadata'] }
const select = (ql: string) => project(doc, parseQuery(`select ${ql}`).projection!)

describe('project', () => {
  it.each<[string, object]>([
    ['uuid', {}],
    ['missing, actor.missing, name.x', {}],
    ['name', { name: 'n' }],
    ['sometestprop', { SomeTestProp: 'x' }],
    ['actor.displayName,sometestprop', { actor: { displayName: 'Ann' }, SomeTestProp: 'x' }],
    ['actor.image.url, ACTOR.EMAIL', { actor: { email: 'ann@x.org', image: { url: '/a' } } }],
    ['actor.email, actor', { actor: doc['actor'] }],
    ['friends.age', { friends: [{ age: 3 }, { age: 4 }] }],
    ['gcm.notifier.id', { 'gcm.notifier.id': 'abc' }],
    ['tags', { tags: ['a', 'b'] }],
    ['{name: Title}', { Title: 'n' }],
    ['{actor.image: picture}', { picture: { url: '/a', width: 5 } }],
    ['{friends.age: ages, tags: labels}', { ages: [3, 4], labels: ['a', 'b'] }],
    ['{actor.displayname: who.name}', { 'who.name': 'Ann' }],
    ['{missing: x, friends.missing: y}', {}],
    ['{name: uuid}', {}],
  ])('keeps for %s the implicit properties and the chosen ones', (ql, chosen) => {
    expect(select(ql)).toEqual({ ...implicit, ...chosen })
  })

  it('has five keys for two properties and three for none besides', () => {
    expect(Object.keys(select('actor.displayName,sometestprop'))).toHaveLength(5)
    expect(Object.keys(select('uuid'))).toEqual(['uuid', 'type', 'metadata'])
  })

  it('cannot be made to change the prototype of the result', () => {
    const result = project({ evil: { polluted: true } }, [{ source: 'evil', name: '__proto__' }])

    expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
    expect(Object.keys(result)).toEqual(['__proto__'])
  })
})
