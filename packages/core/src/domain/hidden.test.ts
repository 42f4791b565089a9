import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Hidden, hiddenIn, readHidden } from './hidden.js'
import type { Json, JsonObject } from './json.js'
import { indexEntries, readPath } from './properties.js'

describe('hidden properties', () => {
  const hidden = new Hidden(['ssn', 'Card.Number', 'home.location'])

  it('hide a property and all inside it, in any letter case, and nothing that only begins like it', () => {
    const hiding = ['ssn', 'SSN', 'ssn.part', 'card.number', 'card.NUMBER.x', 'home.location.latitude']
    const showing = ['ssns', 'ss', 'card', 'card.numbers', 'home', 'home.locations', 'a.ssn', '']

    expect(hiding.filter((path) => !hidden.hides(path))).toEqual([])
    expect(showing.filter((path) => hidden.hides(path))).toEqual([])
  })

  it('are taken out of objects, arrays of them, and names with dots', () => {
    expect(
      hidden.without({
        Ssn: '1',
        name: 'ann',
        card: [{ number: 1, kind: 'visa' }, { NUMBER: [2] }, 3, [{ number: 4 }]],
        'card.number': 5,
        'card.number.last': 6,
        home: { location: { latitude: 1, longitude: 1 }, city: 'Oslo' },
        other: { ssn: 'shown' },
      }),
    ).toEqual({
      name: 'ann',
      card: [{ kind: 'visa' }, {}, 3, [{}]],
      home: { city: 'Oslo' },
      other: { ssn: 'shown' },
    })
  })

  it('leave an object itself, not a copy, where it has none of them, and never change it', () => {
    const [without, withOne] = [{ name: 'ann', card: [{ kind: 'visa' }] }, Object.freeze({ ssn: 1 })]

    expect(hidden.without(without)).toBe(without)
    expect(hidden.without(withOne)).toEqual({})
  })

  it('are known by the collection; where none has any there is nothing to ask', () => {
    const settings = new Map([
      ['persons', { hidden: ['ssn'] }],
      ['cats', { hidden: [] }],
      ['dogs', null],
    ])

    expect([...(hiddenIn(settings) ?? [])].map(([name]) => name)).toEqual(['persons'])
    expect(hiddenIn(new Map([['cats', { hidden: [] }]]))).toBeNull()
  })

  it.each([[['uuid']], [['TYPE']], [['metadata']], [['']], [[1]], ['ssn'], [null], [Array(101).fill('a')]])(
    'cannot be %j',
    (value) => {
      expect(() => readHidden(value)).toThrow(expect.objectContaining({ code: 'illegal_argument' }))
    },
  )

  it('leave nothing that reading the path finds, and all else as it was', () => {
    const key = fc.constantFrom('a', 'A', 'b', 'a.b', 'B.a', 'c', '__proto__', 'Σ', 'aς', 'constructor')
    const { object } = fc.letrec<{ object: JsonObject; json: Json }>((tie) => ({
      object: fc.dictionary(key, tie('json'), { maxKeys: 4 }),
      json: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<Json>(null, 1, 'x', true),
        fc.array(tie('json'), { maxLength: 3 }),
        tie('object'),
      ),
    }))
    const path = fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => keys.join('.'))
    fc.assert(
      fc.property(object, fc.array(path, { minLength: 1, maxLength: 3 }), path, (doc, paths, other) => {
        const own = new Hidden(paths)
        const shown = own.without(doc)

        for (const one of [...paths, ...paths.map((one) => `${one}.${other}`)])
          expect(readPath(shown, one)).toEqual([])
        expect(indexEntries(shown)).toEqual(indexEntries(doc).filter((entry) => !own.hides(entry.path)))
      }),
      { numRuns: 500 },
    )
  })
})
