import { describe, expect, it } from 'vitest'
import { collectionName, typeName } from './names.js'

describe('names of collections', () => {
  it.each([
    ['dog', 'dogs'],
    ['activity', 'activities'],
    ['company', 'companies'],
    ['box', 'boxes'],
    ['data', 'data'],
    ['status', 'statuses'],
    ['nodej', 'nodejs'],
    ['person', 'people'],
    ['man', 'men'],
    ['woman', 'women'],
    ['child', 'children'],
    ['move', 'moves'],
    ['stadium', 'stadiums'],
    ['ox', 'oxen'],
    ['quiz', 'quizzes'],
    ['mouse', 'mice'],
    ['matrix', 'matrices'],
    ['vertex', 'vertices'],
    ['index', 'indices'],
    ['church', 'churches'],
    ['class', 'classes'],
    ['dish', 'dishes'],
    ['movie', 'movies'],
    ['hive', 'hives'],
    ['wolf', 'wolves'],
    ['knife', 'knives'],
    ['crisis', 'crises'],
    ['analysis', 'analyses'],
    ['bus', 'buses'],
    ['alias', 'aliases'],
    ['tomato', 'tomatoes'],
    ['shoe', 'shoes'],
    ['news', 'news'],
    ['key', 'keys'],
    ['day', 'days'],
    ['city', 'cities'],
    ['photo', 'photos'],
    ['user', 'users'],
    ['device', 'devices'],
    ['notifier', 'notifiers'],
    ['receipt', 'receipts'],
    ['asset', 'assets'],
    ['folder', 'folders'],
    ['event', 'events'],
    ['equipment', 'equipment'],
    ['information', 'information'],
    ['money', 'money'],
    ['species', 'species'],
    ['series', 'series'],
    ['fish', 'fish'],
    ['sheep', 'sheep'],
    ['analytics', 'analytics'],
  ])('%s and %s belong together', (type, collection) => {
    expect(collectionName(type)).toBe(collection)
    expect(collectionName(collection)).toBe(collection)
    expect(collectionName(collection.toUpperCase())).toBe(collection)
    expect(typeName(collection)).toBe(type)
  })

  it.each([
    'pizzas',
    'areas',
    'schemas',
    'cameras',
    'boss',
    'gas',
    'lens',
    'bias',
    'virus',
    'menu',
    'x',
    's',
    'ss',
    'a1',
    'foo_bar',
    'foo-bar',
    'a.b',
    'complex',
    'ünïs',
    '日本',
  ])('%s leads to a type that leads back', (word) => {
    const collection = collectionName(word)

    expect(collectionName(collection)).toBe(collection)
    expect(collectionName(typeName(collection))).toBe(collection)
  })

  it.each([
    '',
    ' ',
    '-a',
    'a/b',
    'a;b',
    '~a',
    '$a',
    'a\u0000',
    'x'.repeat(101),
    'entity',
    'Entities',
    'entitything',
    'dynamicentity',
  ])('"%s" is none', (word) => {
    expect(() => collectionName(word)).toThrow(expect.objectContaining({ code: 'illegal_argument' }))
  })
})
