import { gzipSync } from 'node:zlib'
import {
  CONDITIONS,
  HEADER_NAMES,
  HEADERS,
  HOSTILE,
  KEYS,
  KINDS,
  METHODS,
  NAMES,
  PARAMS,
  SCALARS,
  STEPS,
  TERMS,
  WORDS,
} from './fuzz-words.js'
import type { Random } from './random.js'

/** One request, as bytes would say it. */
export interface FuzzCase {
  method: string
  /** Path and query string below the server. */
  target: string
  headers: [name: string, value: string][]
  body: Buffer | null
  /** Hang up after this many bytes of the body. */
  cutAt: number | null
  as: 'guest' | 'user' | 'admin'
}

export const fuzzCase = (random: Random, root: string): FuzzCase => {
  const method = random.pick(METHODS)
  const isBatch = random.chance(0.06)
  const { bytes, encoding } = method === 'GET' || method === 'HEAD' ? noBody(random) : bodyOf(random, isBatch)
  const search = random.list(
    3,
    () =>
      `${random.pick(PARAMS)}=${encoded(random, random.chance(0.7) ? query(random) : String(random.pick(SCALARS)))}`,
  )
  const own = random.list(3, (): [string, string] => {
    const name = random.pick(HEADER_NAMES)
    return [name, random.pick(HEADERS[name]!)]
  })
  return {
    method: isBatch ? 'POST' : method,
    target: `${isBatch ? `${root}/_batch` : pathOf(random, root)}${search.length === 0 ? '' : `?${search.join('&')}`}`,
    headers: [...own, ...encoding],
    body: bytes,
    cutAt: bytes !== null && bytes.length > 0 && random.chance(0.02) ? random.below(bytes.length) : null,
    as: random.pick(['guest', 'user', 'user', 'admin']),
  }
}

const pathOf = (random: Random, root: string): string => {
  const start = random.chance(0.9)
    ? root
    : random.pick([
        '',
        '/management',
        '/management/orgs',
        '/management/orgs/test/apps',
        '/test',
        '/orgs/test/apps/sandbox',
        '//',
        '/..',
        '/status',
        '/%00/x',
      ])
  const sound = [
    random.pick(KINDS),
    ...random.list(2, () => random.pick(NAMES)).slice(0, 1),
    ...random.list(2, () => random.pick(STEPS)),
    ...random.list(1, () => random.pick(NAMES)),
  ]
  const words = random.chance(0.7)
    ? sound
    : random.list(6, () => random.pick(random.chance(0.5) ? HOSTILE : sound))
  const mixed = words.map((word) => (random.chance(0.06) ? random.pick(HOSTILE) : word))
  // Words of several segments keep their slashes.
  return `${start}/${mixed.map((word) => (/[^\x21-\x7e]|[#?]/.test(word) ? encodeURIComponent(word) : word)).join('/')}`
}

/** By the grammar, or by words in any order, or cut and changed. */
const query = (random: Random): string => {
  const sound = `${random.pick(['', '', 'select * where ', 'select name, a where ', 'where '])}${Array.from({ length: 1 + random.below(3) }, () => `${random.pick(['', '', 'not '])}${random.pick(TERMS)}`).join(random.pick([' and ', ' or ', ' && ']))}${random.pick(['', '', ' order by a', ' order by a desc, name', ' order by location'])}`
  if (random.chance(0.5)) return sound
  if (random.chance(0.4)) return random.list(14, () => random.pick(WORDS)).join(' ')
  const at = random.below(sound.length + 1)
  return random.pick([
    () => sound.slice(0, at),
    () => sound.slice(0, at) + random.pick(WORDS) + sound.slice(at),
    () => sound.slice(0, at) + random.pick(WORDS) + sound.slice(at + 3),
    () => random.pick(['(', 'not ', "'", 'a = 1 or ']).repeat(random.below(1500)),
    () => sound.replaceAll(' ', random.pick(['\t', '\u00a0', '\n', '++', '%20', '/**/'])),
  ])()
}

/** What cannot stand in a request line is encoded; the rest sometimes is. */
const encoded = (random: Random, text: string): string =>
  random.chance(0.3)
    ? encodeURIComponent(wellFormed(text))
    : wellFormed(text).replace(/[^\x21-\x7e]|[#?&]/gu, (character) => encodeURIComponent(character))

/** Half a surrogate pair cannot be written in a URL. */
const wellFormed = (text: string): string => text.replace(/\p{Cs}/gu, '?')

const noBody = (random: Random) => ({
  bytes: random.chance(0.03) ? Buffer.from('{}') : null,
  encoding: [] as [string, string][],
})

const bodyOf = (random: Random, isBatch: boolean): { bytes: Buffer | null; encoding: [string, string][] } => {
  if (!isBatch && random.chance(0.1)) return { bytes: null, encoding: [] }
  const value = isBatch
    ? batch(random)
    : random.chance(0.15)
      ? random.list(5, () => json(random, 2))
      : random.chance(0.05)
        ? json(random, 1)
        : object(random, 3)
  const text = JSON.stringify(value) ?? 'null'
  const at = random.below(text.length + 1)
  const mutated = random.chance(0.8)
    ? text
    : random.pick([
        () => text.slice(0, at),
        () =>
          text.slice(0, at) +
          random.pick(['{', '}', '[', ',', '"', '\u0000', '\\u', 'NaN', '/**/', '\ufeff']) +
          text.slice(at),
        () => `[${'['.repeat(random.below(5000))}`,
        () => `{"a":${'{"a":'.repeat(random.below(200))}1${'}'.repeat(random.below(200))}}`,
        () => `{"a":"${'x'.repeat(random.below(1_200_000))}"}`,
        () => `{"a":[${'1,'.repeat(random.below(20_000))}1]}`,
        () => 'grant_type=password&username=ann&password=x',
        () => '--x\r\ncontent-disposition: form-data; name="a"; filename="..\\..\\x"\r\n\r\n\r\n--x--',
        () => `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":${text}}`,
        () => `{"a":1,"a":2,"A":3,"name":${text}}`,
      ])()
  const plain = random.chance(0.05)
    ? Buffer.from(mutated, random.pick(['utf16le', 'latin1']))
    : Buffer.from(mutated)
  if (!random.chance(0.04)) return { bytes: plain, encoding: [] }
  const zipped = gzipSync(plain)
  const damaged = random.pick([
    zipped,
    zipped.subarray(0, random.below(zipped.length)),
    plain,
    Buffer.concat([zipped, zipped]),
  ])
  return { bytes: damaged, encoding: [['content-encoding', 'gzip']] }
}

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

const json = (random: Random, depth: number): Json => {
  if (depth === 0 || random.chance(0.6)) return random.pick(SCALARS) as Json
  return random.chance(0.3) ? random.list(4, () => json(random, depth - 1)) : object(random, depth - 1)
}

const object = (random: Random, depth: number): Json =>
  Object.fromEntries(random.list(5, () => [random.pick(KEYS), json(random, depth)] as const))

const batch = (random: Random): Json => {
  const operations: Json[] = random.list(5, () => ({
    ...(random.chance(0.4) ? { id: random.pick(['a', 'b', 'order', '__proto__', '', 'x'.repeat(100)]) } : {}),
    method: random.pick(['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'GET', 'HEAD', 'post', '']),
    path: random.pick([
      `${random.pick(KINDS)}/${random.pick(NAMES)}`,
      random.pick(KINDS),
      '$a',
      'dogs/$a',
      'dogs/$a.name/likes/$b',
      '$',
      '$__proto__',
      '%24',
      '../x',
      '_batch',
      'dogs?ql=a',
      random.pick(HOSTILE),
    ]),
    ...(random.chance(0.7)
      ? {
          body: random.chance(0.3)
            ? { a: { $ref: random.pick(['a.uuid', 'a.name', 'order', 'a.__proto__', 'a..', '']) } }
            : json(random, 2),
        }
      : {}),
    ...(random.chance(0.1) ? { ifMatch: random.pick(CONDITIONS) } : {}),
    ...(random.chance(0.1) ? { ifNoneMatch: random.pick(CONDITIONS) } : {}),
  }))
  return random.chance(0.1) ? { operations: json(random, 2) } : { operations }
}
