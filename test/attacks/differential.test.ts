import { DATABASES, type SqlDatabase, type TestDatabaseName } from '@entigrid/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestServer, type TestServer } from '../support/server.js'
import {
  type Ask,
  type Asker,
  addressOf,
  decide,
  isConnected,
  isFiltered,
  shown,
  stringsOf,
  type Thing,
  type World,
} from './model.js'
import { unchangedPrototypes } from './prototypes.js'
import { Random, seedOfRun } from './random.js'
import {
  batched,
  batchedInProcess,
  explained,
  handled,
  inProcess,
  type Outcome,
  overHttp,
  spell,
  type Transport,
} from './transports.js'
import { randomAsk, randomAsker, randomWorld } from './worlds.js'

/** Applications, and requests to each. Raise the first for a longer search. */
const WORLDS = { sqlite: 80, postgres: 30 }
const TIMES = Number(process.env['ENTIGRID_WORLDS'] ?? 1)
const ASKS = 24

/** A random application in the engine, and the ways to it. */
class Built {
  readonly world: World
  readonly transports: Map<string, Transport>
  readonly #server: TestServer
  readonly #root: string

  constructor(server: TestServer, root: string, world: World, transports: Map<string, Transport>) {
    this.#server = server
    this.#root = root
    this.world = world
    this.transports = transports
  }

  static async of(server: TestServer, world: World, name: string): Promise<Built> {
    const built = new Built(server, `/test/${name}`, world, new Map())
    const { application } = await built.#management('POST', '/management/orgs/test/apps', { name })
    await built.#fill()
    const tokens = new Map<Asker, string>()
    for (const user of world.things.filter(({ collection }) => collection === 'users'))
      tokens.set(user, (await built.admin('GET', `users/${user.uuid}/token`)).access_token)
    built.transports.set('http', overHttp(`${server.url}/test/${name}`, tokens))
    built.transports.set('handle', handled(server.engine, `/test/${name}`, application))
    built.transports.set('session', inProcess(server.engine, `test/${name}`, application))
    built.transports.set('batch over http', batched(overHttp(`${server.url}/test/${name}`, tokens)))
    built.transports.set(
      'explained',
      explained((method, path) => built.admin(method, path)),
    )
    built.transports.set('batch in process', batchedInProcess(server.engine, `test/${name}`, application))
    return built
  }

  async #fill(): Promise<void> {
    const { things, members, assigned, links, hidden, unindexed } = this.world
    for (const collection of new Set([...hidden, ...unindexed]))
      await this.admin('POST', `${collection}/_settings`, {
        ...(hidden.includes(collection)
          ? { hidden: ['code', ...(collection === 'users' ? ['email'] : [])] }
          : {}),
        ...(unindexed.includes(collection) ? { fields: ['name'] } : {}),
      })
    await this.#together([
      ...['admin', 'default', 'guest'].map((role) => ({ method: 'DELETE', path: `roles/${role}` })),
      ...things.map(written),
      // Only the second write adds to a role.
      ...things.filter(({ collection }) => collection === 'roles').map(written),
    ])
    for (const { collection, uuid, strings } of things)
      if (strings.length > 0)
        await this.admin('POST', `${collection}/${uuid}/permissions`, { permission: strings })
    const connected = [
      ...members.map(([group, user]) => [group, 'users', user] as const),
      ...assigned.map(([role, holder]) => [role, holder.collection, holder] as const),
      ...links,
    ]
    await this.#together(
      connected.map(([from, word, to]) => ({ method: 'POST', path: pathOf(from, word, to) })),
    )
  }

  /** Writes by the administrator, in one transaction. */
  async #together(operations: object[]): Promise<void> {
    if (operations.length > 0) await this.admin('POST', '_batch', { operations })
  }

  link(method: 'POST' | 'DELETE', from: Thing, word: string, to: Thing) {
    return this.admin(method, pathOf(from, word, to))
  }

  /** Takes back what an allowed request changed, of the things that the model says. */
  async undo(ask: Ask, { uuids }: Outcome, touched: readonly Thing[]): Promise<void> {
    const { links, members, assigned } = this.world
    if (ask.kind === 'made' || (ask.kind === 'collection' && ask.verb === 'post'))
      await this.admin('DELETE', `${ask.collection}/${uuids[0]}`)
    if (ask.verb === 'put' || ask.verb === 'delete') await this.#together(touched.map(written))
    if (ask.verb === 'delete' && ask.kind !== 'link')
      for (const [from, word, to] of links)
        if (touched.includes(from) || touched.includes(to)) await this.link('POST', from, word, to)
    if (ask.kind === 'strings')
      await this.admin(
        'DELETE',
        `${ask.entity.collection}/${ask.entity.uuid}/permissions?permission=get:/nothing`,
      )
    if (ask.kind !== 'link' || ask.verb === 'get') return
    const { from, to, word } = ask
    const isThere = [
      ...links.map(([a, verb, b]) =>
        verb === 'following' && word === 'followers' ? [b, 'followers', a] : [a, verb, b],
      ),
      ...[...members, ...assigned].flatMap(([a, b]) => [
        [a, b.collection, b],
        [b, a.collection, a],
      ]),
    ].some(([a, verb, b]) => a === from && verb === word && b === to)
    await this.link(isThere ? 'POST' : 'DELETE', from, word, to)
    // Another user's device went over to this one.
    for (const [owner, verb, device] of links)
      if (verb === 'devices' && word === 'devices') await this.link('POST', owner, verb, device)
  }

  async admin(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) {
    return this.#management(method, `${this.#root}/${path.split('?')[0]}`, body, path.split('?')[1])
  }

  async #management(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown, search = '') {
    const reply = await this.#server.engine.handle({
      method,
      path,
      search,
      baseUrl: '',
      principal: { kind: 'sysadmin' },
      ...(body === undefined ? {} : { body: body as never }),
    })
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.body}`)
    return JSON.parse(reply.body)
  }
}

/** What makes a thing, or makes it again what it was. */
const written = (thing: Thing): object => {
  const { collection, uuid, name, values } = thing
  const account = collection === 'users' ? { username: name, email: addressOf(thing) } : { path: name }
  return {
    method: 'PUT',
    path: `${collection}/${uuid}`,
    body: { name, ...account, owner: null, level: null, ...values },
  }
}

const pathOf = (from: Thing, word: string, to: Thing): string =>
  `${from.collection}/${from.uuid}/${word}/${to.uuid}`

const verdictOf = ({ status, error }: Outcome): string =>
  status < 300
    ? 'allowed'
    : status === 401 && error === 'unauthorized'
      ? 'unauthorized'
      : status === 404
        ? 'missing'
        : `${status} ${error}`

describe.each(DATABASES)('rights on %s', (database) => {
  unchangedPrototypes()
  let server: TestServer
  let sql: SqlDatabase
  beforeAll(async () => {
    server = await openTestServer({ database, wrap: (opened) => (sql = opened) })
  })
  afterAll(() => server.close())

  /** What the newest application holds, in few numbers. */
  const state = async () =>
    sql.read((connection) =>
      connection.all(`SELECT (SELECT max(seq) FROM change) AS changes,
        (SELECT count(*) FROM edge WHERE app_id = newest.id) AS edges,
        (SELECT count(*) FROM dictionary WHERE app_id = newest.id) AS entries
        FROM (SELECT max(app_id) AS id FROM entity) AS newest`),
    )

  it('are those of the model, by every way in, and a refusal changes nothing', async () => {
    const seed = seedOfRun()
    const random = new Random(seed)
    const counts = new Map<string, number>()

    for (let n = 0; n < worlds(database); n++) {
      const built = await Built.of(server, randomWorld(random), `world${n}`)
      for (let m = 0; m < ASKS; m++) {
        const [ask, asker] = randomQuestion(random, built.world)
        const expected = decide(built.world, asker, ask)
        // What only leads to a world that is no longer the model's.
        if (
          expected === 'allowed' &&
          ask.kind === 'entity' &&
          ask.verb === 'delete' &&
          ['users', 'groups', 'roles'].includes(ask.entity.collection)
        )
          continue
        const isMany = ['collection', 'list', 'through'].includes(ask.kind) && ask.verb !== 'post'
        const visible = isMany && expected === 'allowed' ? shown(built.world, asker, ask as never) : null
        const touched =
          visible ?? (ask.kind === 'entity' ? [ask.entity] : ask.kind === 'link' ? [ask.to] : [])
        const may = stringsOf(built.world, asker)
        const before = expected === 'allowed' ? null : await state()
        // What is not there for anybody may be explained as allowed.
        const isThere = isConnected(built.world, ask)
        for (const [way, send] of built.transports) {
          const wire = spell(random, built.world, ask, asker)
          const outcome = await send(wire, ask, asker)
          if (outcome === null) continue
          const verdict = verdictOf(outcome)
          // An update of what a query does not find.
          const isNothing = visible?.length === 0 && ask.verb === 'put' && verdict === 'missing'
          const isUnasked = way === 'explained' && !isThere && expected === 'missing' && verdict === 'allowed'
          const actual = isNothing || isUnasked ? expected : verdict
          const told = JSON.stringify({
            ...{
              seed,
              world: n,
              hidden: built.world.hidden,
              unindexed: built.world.unindexed,
              way,
              ask: described(ask),
              wire,
              asker: asker?.name,
              may,
            },
            touched: touched.map(({ name, values }) => [name, values]),
          })
          expect(`${actual} ${told}`).toBe(`${expected} ${told}`)
          expect([outcome.telling.some((kind) => built.world.hidden.includes(kind as never)), told]).toEqual([
            false,
            told,
          ])
          counts.set(`${way} ${actual}`, (counts.get(`${way} ${actual}`) ?? 0) + 1)
          if (way === 'explained') continue
          if (visible !== null)
            expect([seenIn(outcome), told]).toEqual([seenIn(replyOf(built.world, ask, visible)), told])
          if (expected === 'allowed') await built.undo(ask, outcome, touched)
        }
        if (before !== null) expect([ask, await state()]).toEqual([ask, before])
      }
    }

    // Neither side may be all of it, by any way; what is missing is rare, and looked for in all ways together.
    const ways = ['http', 'handle', 'session', 'batch over http', 'batch in process']
    const count = (way: string, verdict: string) => counts.get(`${way} ${verdict}`) ?? 0
    for (const way of ways)
      for (const verdict of ['allowed', 'unauthorized'])
        expect([way, count(way, verdict) > 0]).toEqual([way, true])
    expect(ways.some((way) => count(way, 'missing') > 0)).toBe(true)
  }, 600_000)
})

/** More often than by chance, one that filters of permission strings decide. */
const randomQuestion = (random: Random, world: World): [Ask, Asker] => {
  const draw = (): [Ask, Asker] => [randomAsk(random, world), randomAsker(random, world)]
  const drawn = Array.from({ length: 6 }, draw)
  return drawn.find(([ask, asker]) => isFiltered(world, asker, ask)) ?? drawn[0]!
}

/** What tells replies apart. */
const seenIn = ({ uuids, telling, total }: Pick<Outcome, 'uuids' | 'telling' | 'total'>) => ({
  uuids: [...uuids].sort(),
  telling: [...telling].sort(),
  total,
})

const replyOf = ({ hidden }: World, { verb }: Ask, visible: readonly Thing[]) => ({
  uuids: visible.map(({ uuid }) => uuid),
  telling: visible.map(({ collection }) => collection).filter((kind) => !hidden.includes(kind)),
  total: verb === 'get' ? visible.length : undefined,
})

/** A request in few words: entities by their names. */
const described = (ask: Ask): string =>
  JSON.stringify(ask, (_, value) => (value?.collection && value.name ? value.name : value))

const worlds = (database: TestDatabaseName): number => WORLDS[database as keyof typeof WORLDS] * TIMES
