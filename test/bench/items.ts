/** The stored things: about 500 bytes of JSON, the same for every target and every run. */
export interface Item {
  name: string
  category: string
  score: number
  price: number
  active: boolean
  tags: string[]
  city: string
  text: string
  address: { street: string; zip: string; country: string }
}

export const CATEGORIES = 100
const WORDS =
  'amber basin cedar delta ember fable grove harbor island jungle kernel lantern meadow nectar orchard pebble quartz river summit timber umbra valley willow xenon yarrow zephyr anchor beacon canyon dune'.split(
    ' ',
  )
const CITIES =
  'Lisbon Oslo Cairo Quito Hanoi Accra Turin Delft Lyon Kyoto Porto Malmo Split Cusco Tampa Perth'.split(' ')

/** A well-mixed 32-bit number for a counter (the finaliser of MurmurHash3). */
export const scatter = (index: number): number => {
  let hash = Math.imul(index + 0x9e3779b9, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Unlike for every item below a few million, so that no order by it has ties. From 0 to 1000. */
export const scoreOf = (index: number): number => (((index * 7919) % 9_999_991) + 1) / 10_000
export const nameOf = (index: number): string => `item-${String(index).padStart(8, '0')}`
export const categoryOf = (index: number): string => `c${index % CATEGORIES}`

export const item = (index: number, name = nameOf(index)): Item => {
  const hash = scatter(index)
  const words = Array.from({ length: 25 }, (_, at) => WORDS[scatter(index * 31 + at) % WORDS.length])
  return {
    name,
    category: categoryOf(index),
    score: scoreOf(index),
    price: (hash % 100_000) / 100,
    active: hash % 3 !== 0,
    tags: [0, 1, 2].map((at) => `tag${(hash >>> (at * 5)) % 20}x${at}`),
    city: CITIES[hash % CITIES.length]!,
    text: words.join(' '),
    address: {
      street: `${hash % 900} ${WORDS[hash % WORDS.length]} street`,
      zip: String(10_000 + (hash % 89_999)),
      country: 'PT',
    },
  }
}

/** A range of scores that holds 20 items, for a collection of `count`. */
export const scoreRange = (index: number, count: number): { from: number; to: number } => {
  const width = (20 / count) * topScore(count)
  const from = (scatter(index) / 2 ** 32) * (topScore(count) - width)
  return { from: round(from), to: round(from + width) }
}

const topScore = (count: number): number => Math.min(1000, (count * 7919) / 10_000)
const round = (value: number): number => Math.round(value * 10_000) / 10_000

/** A hundred new items, named for the counter of the request that makes them. */
export const madeItems = (index: number): Item[] =>
  Array.from({ length: 100 }, (_, at) => item(index * 100 + at, `made-${index}-${at}`))

/** Numbers of two items to connect. No pair comes twice, nor is it among those that every hub has from the start. */
export const pairOf = (index: number, count: number): { source: number; target: number } => {
  const source = (index * 7919) % count
  return { source, target: (source + 500 + Math.floor(index / count)) % count }
}
