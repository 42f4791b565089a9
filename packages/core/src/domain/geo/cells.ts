import { distance, EARTH_RADIUS } from './distance.js'
import type { Point } from './location.js'

/** Tag of a cell's key; other tags are those of scalar keys. */
const TAG = 0x40
/** Bits per coordinate: cells of 0.3 m by 0.6 m at the equator. */
const BITS = 26
const CELLS = 2 ** BITS
/** Metres added to a radius, for rounding in distances; at antipodes it reaches decimetres. */
const MARGIN = 1

/** A square of the quadtree over the globe: `level` 0 is all of it. Its `code` interleaves row and column. */
interface Square {
  level: number
  code: number
  row: number
  column: number
}

/** Key of the cell that holds a point: the bits of its row and column interleaved, 8 bytes with the tag. */
export const cellKey = (latitude: number, longitude: number): Buffer =>
  keyOf(morton(cellOf((latitude + 90) / 180), cellOf((longitude + 180) / 360)))

const cellOf = (fraction: number): number => Math.min(CELLS - 1, Math.max(0, Math.floor(fraction * CELLS)))

const keyOf = (code: number): Buffer => {
  const key = Buffer.allocUnsafe(8)
  key[0] = TAG
  key[1] = Math.floor(code / 2 ** 48)
  key.writeUIntBE(code % 2 ** 48, 2, 6)
  return key
}

/** 52 bits, which a number holds exactly; bit operations of JavaScript would stop at 32. */
const morton = (row: number, column: number): number => spread(row) * 2 + spread(column)

const spread = (value: number): number => {
  let result = 0
  for (let bit = BITS - 1; bit >= 0; bit--) result = result * 4 + ((value >> bit) & 1)
  return result
}

/** The middle of a cell, in degrees. */
export const decodeCell = (key: Buffer): Point => {
  let code = key[1]! * 2 ** 48 + key.readUIntBE(2, 6)
  let [row, column] = [0, 0]
  for (let bit = 0; bit < BITS; bit++) {
    column += (code % 2) * 2 ** bit
    row += (Math.floor(code / 2) % 2) * 2 ** bit
    code = Math.floor(code / 4)
  }
  return { latitude: ((row + 0.5) / CELLS) * 180 - 90, longitude: ((column + 0.5) / CELLS) * 360 - 180 }
}

/**
 * Ranges of keys, both ends inclusive and in key order, that hold every point within `radius` metres of a
 * point, and some others. At most `maxRanges`.
 */
export const coveringRanges = (
  latitude: number,
  longitude: number,
  radius: number,
  maxRanges = 32,
): { from: Buffer; to: Buffer }[] => {
  const reach = radius + MARGIN
  let squares: Square[] = [{ level: 0, code: 0, row: 0, column: 0 }]
  let ranges = merge(squares)
  if (reach >= Math.PI * EARTH_RADIUS) return ranges.map(toKeys)
  for (let level = 1; level <= BITS; level++) {
    squares = squares
      .flatMap(quarters)
      .filter((square) => distanceToSquare(latitude, longitude, square) <= reach)
    const finer = merge(squares)
    // Squares in a row make one range, so their number is bounded apart.
    if (finer.length > maxRanges || squares.length > 2 * maxRanges) break
    ranges = finer
  }
  return ranges.map(toKeys)
}

const quarters = ({ level, code, row, column }: Square): Square[] =>
  [0, 1, 2, 3].map((quarter) => ({
    level: level + 1,
    code: code * 4 + quarter,
    row: row * 2 + (quarter >> 1),
    column: column * 2 + (quarter & 1),
  }))

/** Codes from the first cell to the last, of squares that follow one another. */
const merge = (squares: readonly Square[]): { first: number; last: number }[] => {
  const ranges: { first: number; last: number }[] = []
  for (const { level, code } of squares) {
    const cells = 4 ** (BITS - level)
    const first = code * cells
    const last = first + cells - 1
    const previous = ranges.at(-1)
    if (previous?.last === first - 1) previous.last = last
    else ranges.push({ first, last })
  }
  return ranges
}

const toKeys = ({ first, last }: { first: number; last: number }) => ({ from: keyOf(first), to: keyOf(last) })

/** Metres from a point to the nearest point of a square. */
const distanceToSquare = (latitude: number, longitude: number, { level, row, column }: Square): number => {
  const count = 2 ** level
  const [south, north] = [(row / count) * 180 - 90, ((row + 1) / count) * 180 - 90]
  const [west, east] = [(column / count) * 360 - 180, ((column + 1) / count) * 360 - 180]
  if (longitude >= west && longitude <= east) {
    const nearest = Math.min(north, Math.max(south, latitude))
    return distance(latitude, longitude, nearest, longitude)
  }
  // On a parallel the distance grows with the difference in longitude: the nearest point is on a side.
  return Math.min(...[west, east].map((side) => distanceToMeridian(latitude, longitude, side, south, north)))
}

/**
 * Metres to the stretch of a meridian from `south` to `north`. The cosine of the distance to latitude t on
 * it is proportional to cos(t - top), so the nearest point is at `top` or at an end.
 */
const distanceToMeridian = (
  latitude: number,
  longitude: number,
  meridian: number,
  south: number,
  north: number,
): number => {
  const radians = Math.PI / 180
  const across = Math.cos(latitude * radians) * Math.cos((meridian - longitude) * radians)
  const top = Math.atan2(Math.sin(latitude * radians), across) / radians
  const latitudes = top > south && top < north ? [south, north, top] : [south, north]
  return Math.min(...latitudes.map((at) => distance(latitude, longitude, at, meridian)))
}
