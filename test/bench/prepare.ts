import { askAs } from './http.js'
import { categoryOf, type Item, item, nameOf, scatter, scoreOf, scoreRange } from './items.js'
import type { Running } from './running.js'
import { type Context, deepPageNumber, PAGE, type Scenario } from './target.js'

const LOAD_BATCH = 500
export const HUBS = 50
const CONNECTIONS_OF_A_HUB = 20

/** Fills a fresh server with `count` items, connects some of them, and checks that it answers as it should. */
export const prepare = async (running: Running, count: number): Promise<Context> => {
  const { target, url, place } = running
  let context = await target.setUp(url)
  if (target.createMany === undefined) return context
  const ids = await loadItems(running, context, 0, count)
  await target.finish?.(place)
  context = { ...context, ids, hubs: ids.slice(0, HUBS) }
  await connectHubs(running, context)
  context = { ...context, cursor: await deepCursor(running, context) }
  await verify(running, context)
  return context
}

/** In the order of their numbers, so that every target has the same newest ones. Returns the ids. */
export const loadItems = async (
  { target }: Running,
  context: Context,
  from: number,
  to: number,
): Promise<string[]> => {
  const ids: string[] = []
  for (let start = from; start < to; start += LOAD_BATCH) {
    const items: Item[] = []
    for (let index = start; index < Math.min(to, start + LOAD_BATCH); index++) items.push(item(index))
    const created = target.idsOf(await askAs(context, target.createMany!(context, items)))
    if (created.length !== items.length) {
      throw new Error(`${target.title} created ${created.length} of ${items.length} items`)
    }
    ids.push(...created)
  }
  return ids
}

export const connectHubs = async ({ target }: Running, context: Context): Promise<void> => {
  for (const [index, hub] of context.hubs.entries()) {
    const targets = Array.from(
      { length: CONNECTIONS_OF_A_HUB },
      (_, at) => context.ids[HUBS + index + at * 7]!,
    )
    await Promise.all(targets.map((id) => askAs(context, target.connect!(context, hub, id))))
  }
}

/** Walks to the page before the deep one, as a client would. */
export const deepCursor = async ({ target }: Running, context: Context): Promise<string> => {
  let cursor = ''
  if (target.page === undefined) return cursor
  for (let page = 1; page < deepPageNumber(context.ids.length); page++) {
    cursor = target.cursorOf!(await askAs(context, target.page(context, cursor)))
  }
  return cursor
}

/** What a scenario has to answer, as far as it is known beforehand: the names, or only how many. */
type Expectation = string[] | number

/** Throws when a target answers a scenario with anything but the right items: then its figures would mean nothing. */
export const verify = async ({ target }: Running, context: Context): Promise<void> => {
  const scenarios = target.scenarios(context)
  for (const [scenario, expected] of Object.entries(expectations(context))) {
    const make = scenarios[scenario as Scenario]
    if (make === undefined) continue
    const headers = scenario === 'asUser' ? context.userHeaders : context.headers
    for (const index of [1, 2, 3]) {
      const request = make(index)
      const names = target.namesOf(await askAs({ ...context, headers }, request))
      check(`${target.title}, ${scenario}, ${request.path}`, names, expected(index))
    }
  }
}

const check = (where: string, names: string[], expected: Expectation): void => {
  const right = typeof expected === 'number' ? names.length === expected : String(names) === String(expected)
  if (!right) throw new Error(`${where}: expected ${expected}, got ${names.length}: ${names}`)
}

const expectations = ({ ids }: Context): Partial<Record<Scenario, (index: number) => Expectation>> => {
  const count = ids.length
  const any = (index: number) => scatter(index) % count
  const all = Array.from({ length: count }, (_, index) => index)
  const newestFirst = (from: number) =>
    all
      .slice(Math.max(0, count - from - PAGE), count - from)
      .reverse()
      .map(nameOf)
  return {
    byUuid: (index) => [nameOf(any(index))],
    asUser: (index) => [nameOf(any(index))],
    byName: (index) => [nameOf(any(index))],
    equalitySorted: (index) =>
      best(all, categoryOf(any(index)))
        .slice(0, 10)
        .map(nameOf),
    range: (index) => inRange(all, scoreRange(index, count)).slice(0, 10).map(nameOf),
    firstPage: () => newestFirst(0),
    deepPage: () => newestFirst((deepPageNumber(count) - 1) * PAGE),
    connections: () => 10,
  }
}

const best = (all: number[], category: string): number[] =>
  all.filter((index) => categoryOf(index) === category).sort((one, other) => scoreOf(other) - scoreOf(one))

const inRange = (all: number[], { from, to }: { from: number; to: number }): number[] =>
  all
    .filter((index) => scoreOf(index) >= from && scoreOf(index) < to)
    .sort((one, other) => scoreOf(one) - scoreOf(other))
