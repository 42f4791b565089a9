import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../json.js'
import { normaliseLocation, normaliseLocations } from './location.js'

describe('normaliseLocation', () => {
  it.each<[string, Json, Json]>([
    ['expands abbreviations', { lat: 37.77, lon: -122.4 }, { latitude: 37.77, longitude: -122.4 }],
    ['ignores case', { LAT: 1, Longitude: 2 }, { latitude: 1, longitude: 2 }],
    [
      'turns numeric text into numbers',
      { latitude: ' 37.5 ', longitude: '-1e1' },
      { latitude: 37.5, longitude: -10 },
    ],
    ['keeps other keys', { elevation: 9, lat: 1, lon: 2 }, { elevation: 9, latitude: 1, longitude: 2 }],
    [
      'prefers the full and exact name',
      { LATITUDE: 9, latitude: 1, lat: 8, lon: 2 },
      { LATITUDE: 9, latitude: 1, lat: 8, longitude: 2 },
    ],
    ['leaves an object without one coordinate', { lat: 'x', street: 'Main' }, { lat: 'x', street: 'Main' }],
    ['prefers a number to null', { LATITUDE: 1, latitude: null, lon: 2 }, { latitude: 1, longitude: 2 }],
    ['takes null for absent', { lat: null, lon: 2 }, { lat: null, lon: 2 }],
    ['leaves a plain string', 'Berlin', 'Berlin'],
    ['goes through an array', [{ lat: 1, lon: 2 }, 'x'], [{ latitude: 1, longitude: 2 }, 'x']],
  ])('%s', (_, value, stored) => {
    expect(normaliseLocation(value)).toEqual(stored)
    expect(normaliseLocation(stored)).toBe(stored)
  })

  it.each<Json>(['north', '', '0x10', true, {}, [1]])('refuses %j as a coordinate', (latitude) => {
    expect(() => normaliseLocation({ latitude, longitude: 1 })).toThrowError(
      expect.objectContaining({ code: 'illegal_argument' }),
    )
  })
})

describe('normaliseLocations', () => {
  it('finds properties named location at any depth, and no others', () => {
    const doc = {
      LOCATION: { lat: 1, lon: 2 },
      actor: { location: { lat: '3', lon: '4' } },
      stops: [{ location: { lat: 5, lon: 6 } }],
      spot: { lat: 7, lon: 8 },
    }

    expect(normaliseLocations(doc)).toEqual({
      LOCATION: { latitude: 1, longitude: 2 },
      actor: { location: { latitude: 3, longitude: 4 } },
      stops: [{ location: { latitude: 5, longitude: 6 } }],
      spot: { lat: 7, lon: 8 },
    })
    expect(doc.LOCATION).toEqual({ lat: 1, lon: 2 })
  })

  it('gives the document itself when nothing changes', () => {
    const doc = { location: { latitude: 1, longitude: 2 }, list: [{ a: [] }] }

    expect(normaliseLocations(doc)).toBe(doc)
  })

  it('survives a document nested ten thousand deep', () => {
    let doc: JsonObject = { location: { lat: 1, lon: 2 } }
    for (let depth = 0; depth < 10_000; depth++) doc = { location: [doc] }

    expect(normaliseLocations(doc)).toBe(doc)
  })
})
