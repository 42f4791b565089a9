import { type Door, send, storedOf } from './door.js'
import { type Fact, keyOf, type Properties } from './journal.js'

/** The property by which an entity of a collection is found beside its stamp, where there is one. */
const NAMES = {
  dogs: 'name',
  notes: 'name',
  seats: 'name',
  users: 'username',
  orders: null,
  transfers: 'name',
  hubs: 'name',
  sums: 'name',
} as const
const COLLECTIONS = Object.keys(NAMES) as (keyof typeof NAMES)[]
const VERBS = ['likes', 'follows'] as const
const PAGE = 1000
/** Comparisons in one query. */
const AT_ONCE = 100
const REQUESTS_AT_ONCE = 8

/** Everything that is stored, as it is found by reading. */
export interface Sight {
  facts: Map<string, Fact>
  problems: string[]
}

interface Linked {
  key: string
  path: string
  metadata: { connections?: Record<string, string>; connecting?: Record<string, string> }
}

/** Reads all entities, all connections from both of their ends, and the counts. */
export const lookAtAll = async (door: Door): Promise<Sight> => {
  const facts = new Map<string, Fact>()
  const problems: string[] = []
  const linked: Linked[] = []
  const counts = await countsOf(door)
  for (const collection of COLLECTIONS) {
    const entities = await listing(door, collection)
    const count = counts.get(collection) ?? 0
    if (count !== entities.length)
      problems.push(`${collection} has ${entities.length} entities, and is counted as ${count}`)
    problems.push(...sharedValues(collection, entities))
    for (const { metadata, ...entity } of entities) {
      const key = keyOf(entity)
      if (facts.has(key)) problems.push(`${key} is there twice`)
      facts.set(key, entity)
      linked.push({ key, path: `${collection}/${entity['uuid']}`, metadata: metadata as Linked['metadata'] })
    }
  }
  const [out, into] = [await connections(door, linked, 'out'), await connections(door, linked, 'in')]
  for (const key of out) facts.set(key, true)
  for (const key of out) if (!into.has(key)) problems.push(`${key} is found from its source only`)
  for (const key of into) if (!out.has(key)) problems.push(`${key} is found from its target only`)
  return { facts, problems }
}

/** Each of these entities must be what a query by its unique stamp finds, and nothing else. */
export const lookByQueries = async (door: Door, facts: ReadonlyMap<string, Fact>): Promise<string[]> => {
  const problems: string[] = []
  for (const collection of COLLECTIONS) {
    const wanted = [...facts].flatMap(([key, fact]) =>
      key.startsWith(`${collection} `) && fact !== null && fact !== true ? [[key, fact] as const] : [],
    )
    for (let at = 0; at < wanted.length; at += AT_ONCE) {
      const some = wanted.slice(at, at + AT_ONCE)
      for (const property of ['stamp', NAMES[collection]]) {
        if (property === null) continue
        const ql = some.map(([, fact]) => `${property} = '${fact[property]}'`).join(' or ')
        const reply = await send(door, 'GET', collection, { params: { ql, limit: PAGE } })
        const found = new Set(storedOf(reply).map(keyOf))
        for (const [key, fact] of some)
          if (!found.delete(key)) problems.push(`${key} is not found by ${property} = ${fact[property]}`)
        for (const key of found) problems.push(`${key} is found by the ${property} of another entity`)
      }
    }
  }
  return problems
}

const listing = async (door: Door, path: string): Promise<Properties[]> => {
  const entities: Properties[] = []
  let cursor: string | undefined
  do {
    const params = { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) }
    const { status, body } = await send(door, 'GET', path, { params })
    if (status !== 200) throw new Error(`GET ${path} was answered with ${status}: ${JSON.stringify(body)}`)
    entities.push(...body.entities)
    cursor = body.cursor
  } while (cursor !== undefined)
  return entities
}

const countsOf = async (door: Door): Promise<Map<string, number>> => {
  const { body } = await send(door, 'GET', '')
  const { collections } = body.entities[0].metadata as { collections: Record<string, { count: number }> }
  return new Map(Object.entries(collections).map(([name, { count }]) => [name, count]))
}

/** Keys of the connections that are found by starting from their sources or from their targets. */
const connections = async (
  door: Door,
  linked: readonly Linked[],
  direction: 'out' | 'in',
): Promise<Set<string>> => {
  const keys = new Set<string>()
  const lists = linked.flatMap(({ key, path, metadata }) => {
    const links = (direction === 'out' ? metadata.connections : metadata.connecting) ?? {}
    return VERBS.filter((verb) => verb in links).map((verb) => ({ key, path, verb }))
  })
  await inTurns(lists, async ({ key, path, verb }) => {
    const ends = await listing(door, direction === 'out' ? `${path}/${verb}` : `${path}/connecting/${verb}`)
    for (const end of ends.map(keyOf))
      keys.add(direction === 'out' ? `${key} ${verb} ${end}` : `${end} ${verb} ${key}`)
  })
  return keys
}

const inTurns = async <T>(things: readonly T[], work: (thing: T) => Promise<void>): Promise<void> => {
  const rest = things.values()
  await Promise.all(
    Array.from({ length: REQUESTS_AT_ONCE }, async () => {
      for (const thing of rest) await work(thing)
    }),
  )
}

/** Values that only one entity of the collection may have, and that several have. */
const sharedValues = (collection: string, entities: readonly Properties[]): string[] =>
  (collection === 'users' ? ['username', 'email'] : ['name']).flatMap((property) => {
    const counts = new Map<string, number>()
    for (const entity of entities.filter((one) => property in one)) {
      const value = String(entity[property]).toLowerCase()
      counts.set(value, (counts.get(value) ?? 0) + 1)
    }
    const shared = [...counts].filter(([, count]) => count > 1)
    return shared.map(([value, count]) => `${count} of ${collection} have the ${property} ${value}`)
  })
