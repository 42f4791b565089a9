import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellKey, coveringRanges, decodeCell } from './cells.js'
import { distance, EARTH_RADIUS } from './distance.js'

const latitude = () =>
  fc.oneof(fc.double({ min: -90, max: 90, noNaN: true }), fc.constantFrom(-90, -89.9999, 0, 89.9999, 90))
const longitude = () =>
  fc.oneof(
    fc.double({ min: -180, max: 180, noNaN: true }),
    fc.constantFrom(-180, -179.9999, 0, 179.9999, 180),
  )

/** The point that lies `metres` from another in a direction, both angles in degrees. */
const travel = (from: readonly [number, number], metres: number, bearing: number): [number, number] => {
  const [lat, lon, angle, arc] = [from[0], from[1], bearing, 0].map(
    (degrees) => (degrees * Math.PI) / 180,
  ) as [number, number, number, number]
  const way = arc + metres / EARTH_RADIUS
  const sine = Math.sin(lat) * Math.cos(way) + Math.cos(lat) * Math.sin(way) * Math.cos(angle)
  const north = Math.asin(Math.max(-1, Math.min(1, sine)))
  const east =
    lon + Math.atan2(Math.sin(angle) * Math.sin(way) * Math.cos(lat), Math.cos(way) - Math.sin(lat) * sine)
  const degrees = (east * 180) / Math.PI
  return [(north * 180) / Math.PI, degrees > 180 ? degrees - 360 : degrees < -180 ? degrees + 360 : degrees]
}

const covers = (ranges: { from: Buffer; to: Buffer }[], key: Buffer) =>
  ranges.some(({ from, to }) => Buffer.compare(from, key) <= 0 && Buffer.compare(key, to) <= 0)

describe('distance', () => {
  it('is that of the mean radius: what is 609.78 m away is outside 609.7 m and inside 609.8 m', () => {
    // A move along the equator of 609.78 m by the mean radius is one of 610.46 m by the equatorial one.
    const degrees = (609.78 / 6_371_008.77) * (180 / Math.PI)

    expect(distance(0, 0, 0, degrees)).toBeGreaterThan(609.7)
    expect(distance(0, 0, 0, degrees)).toBeLessThan(609.8)
    expect(distance(0, 0, 0, degrees)).toBeCloseTo(609.78, 6)
  })

  it('goes over the poles and the date line', () => {
    expect(distance(89, 0, 89, 180)).toBeCloseTo(distance(0, 0, 2, 0), 3)
    expect(distance(0, 179.5, 0, -179.5)).toBeCloseTo(distance(0, 0, 0, 1), 3)
    expect(distance(0, 0, 0, 180)).toBeCloseTo(Math.PI * EARTH_RADIUS, 3)
  })
})

describe('cellKey', () => {
  it('is decoded to a point within half a cell', () => {
    fc.assert(
      fc.property(latitude(), longitude(), (lat, lon) => {
        const key = cellKey(lat, lon)
        const point = decodeCell(key)
        expect(key).toHaveLength(8)
        expect(key[0]).toBe(0x40)
        expect(Math.abs(point.latitude - lat)).toBeLessThanOrEqual(90 / 2 ** 26 + 1e-9)
        expect(Math.abs(point.longitude - lon)).toBeLessThanOrEqual(180 / 2 ** 26 + 1e-9)
        expect(cellKey(point.latitude, point.longitude)).toEqual(key)
      }),
    )
  })
})

describe('coveringRanges', () => {
  const radius = () =>
    fc.oneof(
      fc.double({ min: 0, max: 2000, noNaN: true }),
      fc.double({ min: 0, max: 3e7, noNaN: true }),
      fc.constantFrom(0, 609.8),
    )

  it('hold every point within the radius, near poles and the date line too', () => {
    fc.assert(
      fc.property(
        latitude(),
        longitude(),
        radius(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 360, noNaN: true }),
        (lat, lon, metres, part, bearing) => {
          const point = travel([lat, lon], Math.min(metres, Math.PI * EARTH_RADIUS) * part, bearing)
          fc.pre(distance(lat, lon, ...point) <= metres)
          expect(covers(coveringRanges(lat, lon, metres), cellKey(...point))).toBe(true)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('hold both sides of the date line, and all longitudes at a pole', () => {
    expect(covers(coveringRanges(10, 180, 500), cellKey(10, -179.999))).toBe(true)
    expect(covers(coveringRanges(10, -180, 500), cellKey(10, 179.999))).toBe(true)
    for (const lon of [-180, -90, 0, 90, 180]) {
      expect(covers(coveringRanges(90, 45, 500), cellKey(89.999, lon))).toBe(true)
    }
  })

  it('are at most as many as asked for, in order and apart', () => {
    fc.assert(
      fc.property(
        latitude(),
        longitude(),
        radius(),
        fc.integer({ min: 1, max: 40 }),
        (lat, lon, metres, most) => {
          const ranges = coveringRanges(lat, lon, metres, most)
          const ends = ranges.flatMap(({ from, to }) => [from, to])
          expect(ranges.length).toBeGreaterThan(0)
          expect(ranges.length).toBeLessThanOrEqual(most)
          ends.slice(1).forEach((end, index) => {
            expect(Buffer.compare(ends[index]!, end)).toBeLessThanOrEqual(0)
          })
        },
      ),
    )
  })

  it.each([2_147_483_647, 50_000_000])('hold the whole world within %d metres', (metres) => {
    expect(coveringRanges(37, -122, metres)).toEqual([
      { from: Buffer.from('4000000000000000', 'hex'), to: Buffer.from('400fffffffffffff', 'hex') },
    ])
  })

  it('hold little more than the circle', () => {
    const ranges = coveringRanges(48.4, 9.99, 1000)
    const [away, inside] = [travel([48.4, 9.99], 5000, 77), travel([48.4, 9.99], 990, 77)]

    expect(covers(ranges, cellKey(...away))).toBe(false)
    expect(covers(ranges, cellKey(...inside))).toBe(true)
  })
})
