import { describe, expect, it } from 'vitest'
import { checkConditions, documentTag, entityTag, isFresh, readConditions } from './entity-tag.js'

const doc = (properties: object) => JSON.stringify({ uuid: 'u', ...properties })

describe('entityTag', () => {
  it('differs for documents that differ in anything', () => {
    const texts = new Set<string>()
    for (let n = 0; n < 50_000; n++) texts.add(doc({ n }))
    for (let n = 0; n < 2000; n++)
      texts.add(doc({ text: `${'a'.repeat(n % 50)}b${'a'.repeat(49 - (n % 50))}${n >> 6}` }))
    for (const a of 'abcdefghij')
      for (const b of 'abcdefghij') texts.add(doc({ a, b })).add(doc({ a: b + a, b: '' }))

    const tags = new Set([...texts].map((text) => entityTag(text, null)))

    expect(tags.size).toBe(texts.size)
    for (const tag of tags) expect(tag).toMatch(/^"[a-z0-9]{8,14}"$/)
  })

  it('is that of the entity in hand', () => {
    const entity = { uuid: 'u', type: 'dog', name: 'rex' }

    expect(documentTag(entity)).toBe(entityTag(JSON.stringify(entity), null))
  })
})

describe('conditions', () => {
  const text = doc({ a: 1 })
  const tag = entityTag(text, null)
  const shown = entityTag(text, { out: ['likes'] })

  it('of writers leave out what only readers see', () => {
    const check = (ifMatch: string) => checkConditions(readConditions({ ifMatch }), { doc: text })

    for (const header of [tag, shown, `W/${shown}`, `"x", ${tag}`, '*'])
      expect(() => check(header)).not.toThrow()
    for (const header of ['"x"', entityTag(doc({ a: 2 }), null)]) expect(() => check(header)).toThrow()
  })

  it('of readers do not', () => {
    const fresh = (ifNoneMatch: string) => isFresh(readConditions({ ifNoneMatch }), shown)

    expect([fresh(shown), fresh('*'), fresh(`"x",${shown}`), fresh(tag), fresh('"x"')]).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
  })

  it('of a missing entity', () => {
    expect(() => checkConditions(readConditions({ ifMatch: '*' }), null)).toThrow()
    expect(() => checkConditions(readConditions({ ifNoneMatch: '*' }), null)).not.toThrow()
  })
})
