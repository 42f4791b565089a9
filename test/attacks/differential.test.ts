import { DATABASES, type SqlDatabase, type TestDatabaseName } from '@entigrid/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestServer, type TestServer } from '../support/server.js'
import { type Ask, type Asker, decide, shown, stringsOf, type Thing, type World } from './model.js'
import { unchangedPrototypes } from './prototypes.js'
import { Random, seedOfRun } from './random.js'
import {
  batched,
  batchedInProcess,
  handled,
  inProcess,
  type Outcome,
  overHttp,
  spell,
  type Transport,
} from './transports.js'
import { randomAsk, randomAsker, randomWorld } from './worlds.js'

/** Applications, and requests to each. Raise the first for a longer search. */
const WORLDS = { sqlite: 100, postgres: 40 }
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
    built.transports.set('batch in process', batchedInProcess(server.engine, `test/${name}`, application))
    return built
  }

  async #fill(): Promise<void> {
    const { things, members, assigned, links } = this.world
    const made = await this.#together([
      ...['admin', 'default', 'guest'].map((role) => ({ method: 'DELETE', path: `roles/${role}` })),
      ...things.map(({ collection, name }) => {
        const body = { name, username: name, path: name }
        return { method: 'POST', path: collection, body }
      }),
    ])
    for (const [i, thing] of things.entries()) thing.uuid = made[i + 3]!
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

  /** Writes by the administrator, in one transaction; resolves with the uuids. */
  async #together(operations: object[]): Promise<string[]> {
    if (operations.length === 0) return []
    const { results } = await this.admin('POST', '_batch', { operations })
    return results.map(({ entities }: { entities: { uuid: string }[] }) => entities[0]!.uuid)
  }

  link(method: 'POST' | 'DELETE', from: Thing, word: string, to: Thing) {
    return this.admin(method, pathOf(from, word, to))
  }

  /** Takes back what an allowed request changed. */
  async undo(ask: Ask, { uuids }: Outcome): Promise<void> {
    const { links, members, assigned } = this.world
    if (ask.kind === 'collection' && ask.verb === 'post')
      await this.admin('DELETE', `${ask.collection}/${uuids[0]}`)
    if (ask.kind === 'entity' && ask.verb === 'delete') {
      const { collection, uuid, name } = ask.entity
      await this.admin('PUT', `${collection}/${uuid}`, { name })
      for (const [from, word, to] of links)
        if (from === ask.entity || to === ask.entity) await this.link('POST', from, word, to)
    }
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
        const [ask, asker] = [randomAsk(random, built.world), randomAsker(random, built.world)]
        const expected = decide(built.world, asker, ask)
        // What only leads to a world that is no longer the model's.
        if (
          expected === 'allowed' &&
          ask.kind === 'entity' &&
          ask.verb === 'delete' &&
          ['users', 'groups', 'roles'].includes(ask.entity.collection)
        )
          continue
        const list = ask.kind === 'list' || ask.kind === 'through' ? ask : null
        const visible =
          list === null || expected !== 'allowed'
            ? null
            : shown(built.world, asker, list)
                .map(({ uuid }) => uuid)
                .sort()
        const may = stringsOf(built.world, asker)
        const before = expected === 'allowed' ? null : await state()
        for (const [way, send] of built.transports) {
          const wire = spell(random, ask, asker)
          const outcome = await send(wire, ask, asker)
          if (outcome === null) continue
          const isEmptyUpdate =
            ask.kind === 'collection' && ask.verb === 'put' && verdictOf(outcome) === 'missing'
          const actual = isEmptyUpdate ? 'allowed' : verdictOf(outcome)
          const told = JSON.stringify({
            seed,
            world: n,
            way,
            ask: described(ask),
            wire,
            asker: asker?.name,
            may,
          })
          expect(`${actual} ${told}`).toBe(`${expected} ${told}`)
          if (visible !== null) expect([[...outcome.uuids].sort(), told]).toEqual([visible, told])
          if (expected === 'allowed' && !isEmptyUpdate) await built.undo(ask, outcome)
          counts.set(`${way} ${actual}`, (counts.get(`${way} ${actual}`) ?? 0) + 1)
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

/** A request in few words: entities by their names. */
const described = (ask: Ask): string =>
  Object.values(ask)
    .map((value) => (value !== null && typeof value === 'object' ? value.name : value))
    .join(' ')

const worlds = (database: TestDatabaseName): number => WORLDS[database as keyof typeof WORLDS] * TIMES
