import type { Addition, Change, Fact, Journal, Properties } from './journal.js'
import { ACCOUNTS, HITS, HUBS, MAILS, SEATS } from './places.js'
import type { Random } from './random.js'

/** One request of a client, and what it does if it is stored. */
export interface Request {
  readonly method: string
  readonly path: string
  readonly params?: Record<string, string | number>
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly changes: readonly Change[]
  readonly additions?: readonly Addition[]
  /** It may be refused since another client has a unique value that it asks for. */
  readonly isContested?: true
}

/** What a client needs to think of a request. */
export interface Wish {
  readonly journal: Journal
  readonly random: Random
  /** The client's own entities of a collection, by key; none whose state is in doubt. */
  own(collection: string): readonly string[]
  /** The client's own connections, by key. */
  connections(): readonly string[]
  /** A name that no other entity had or has. */
  newName(): string
}

/** Entities of one kind a client has at most, so that looking at all of them stays quick. */
const MAX_DOGS = 10
const MAX_BATCHES = 6
const MAX_ORDERS = 10
const MAX_TRANSFERS = 10
const BATCH = 5

const create = ({ own, random, newName }: Wish): Request | undefined => {
  if (own('dogs').length >= MAX_DOGS) return undefined
  const body = dog(newName(), random)
  return { method: 'POST', path: 'dogs', body, changes: [created(body)] }
}

/** A PUT creates what is not there. */
const createByPut = ({ own, random, newName }: Wish): Request | undefined => {
  if (own('dogs').length >= MAX_DOGS) return undefined
  const body = dog(newName(), random)
  return { method: 'PUT', path: `dogs/${body['name']}`, body, changes: [created(body)] }
}

const update = (wish: Wish): Request | undefined => {
  const key = wish.random.of(wish.own('dogs'))
  if (key === undefined) return undefined
  const body = { stamp: wish.newName(), n: wish.random.between(0, 99), tags: tagsOf(wish.random) }
  return { method: 'PUT', path: pathOf(key), body, changes: [updated(wish.journal, key, body)] }
}

const remove = (wish: Wish): Request | undefined => {
  const key = wish.random.of(wish.own('dogs'))
  if (key === undefined || wish.own('dogs').length < MAX_DOGS / 2) return undefined
  const ends = wish.connections().filter((connection) => connection.split(/ likes | follows /).includes(key))
  return {
    method: 'DELETE',
    path: pathOf(key),
    changes: [key, ...ends].map((gone) => removed(wish.journal, gone)),
  }
}

const connect = (wish: Wish): Request | undefined => {
  const [source, target] = [wish.random.of(wish.own('dogs')), wish.random.of(wish.own('dogs'))]
  if (source === undefined || target === undefined) return undefined
  return connecting(wish.journal, source, 'likes', target)
}

/** Many clients connect to the same few entities. */
const follow = (wish: Wish): Request | undefined => {
  const source = wish.random.of(wish.own('dogs'))
  if (source === undefined) return undefined
  return connecting(wish.journal, source, 'follows', `hubs ${wish.random.of(HUBS)}`)
}

const disconnect = (wish: Wish): Request | undefined => {
  const key = wish.random.of(wish.connections())
  if (key === undefined) return undefined
  const [source, verb, target] = endsOf(key)
  const path = `${pathOf(source)}/${verb}/${pathOf(target)}`
  return { method: 'DELETE', path, changes: [removed(wish.journal, key)] }
}

const createBatch = ({ own, random, newName }: Wish): Request | undefined => {
  if (own('notes').length >= MAX_BATCHES * BATCH) return undefined
  const batch = newName()
  const body = Array.from({ length: BATCH }, () => {
    const name = newName()
    return { key: `notes ${name}`, name, batch, stamp: name, n: random.between(0, 99) }
  })
  return { method: 'POST', path: 'notes', body, changes: body.map(created) }
}

const updateBatch = (wish: Wish): Request | undefined => {
  const [batch, keys] = batchOf(wish)
  if (batch === undefined) return undefined
  const body = { n: wish.random.between(0, 99), seen: wish.newName() }
  const changes = keys.map((key) => updated(wish.journal, key, body))
  return { method: 'PUT', path: 'notes', params: { ql: `batch = '${batch}'` }, body, changes }
}

const removeBatch = (wish: Wish): Request | undefined => {
  const [batch, keys] = batchOf(wish)
  if (batch === undefined || wish.own('notes').length < (MAX_BATCHES * BATCH) / 2) return undefined
  const changes = keys.map((key) => removed(wish.journal, key))
  return { method: 'DELETE', path: 'notes', params: { ql: `batch = '${batch}'`, limit: 100 }, changes }
}

/** Several clients want the same name, and one has it. */
const takeSeat = ({ random, newName }: Wish): Request => {
  const body = { key: `seats ${newName()}`, name: random.of(SEATS), stamp: newName() }
  return { method: 'POST', path: 'seats', body, changes: [created(body)], isContested: true }
}

const leaveSeat = (wish: Wish): Request | undefined => {
  const key = wish.random.of(wish.own('seats'))
  if (key === undefined) return undefined
  const { uuid } = wish.journal.fact(key) as Properties
  return { method: 'DELETE', path: `seats/${uuid}`, changes: [removed(wish.journal, key)] }
}

/** Every client has one user, and asks for an address that others want, too. */
const takeAddress = (wish: Wish): Request | undefined => {
  const key = wish.random.of(wish.own('users'))
  if (key === undefined) return undefined
  const body = { email: wish.random.of(MAILS), stamp: wish.newName() }
  return {
    method: 'PUT',
    path: pathOf(key),
    body,
    changes: [updated(wish.journal, key, body)],
    isContested: true,
  }
}

/** The same key with the same request makes one order; it has no name that would keep a second one out. */
const order = ({ own, random, newName }: Wish): Request | undefined => {
  if (own('orders').length >= MAX_ORDERS) return undefined
  const name = newName()
  const body = { key: `orders ${name}`, stamp: name, n: random.between(0, 99) }
  return { method: 'POST', path: 'orders', headers: repeatable(name), body, changes: [created(body)] }
}

const cancelOrder = (wish: Wish): Request | undefined => {
  const key = wish.random.of(wish.own('orders'))
  if (key === undefined || wish.own('orders').length < MAX_ORDERS / 2) return undefined
  const { uuid } = wish.journal.fact(key) as Properties
  return { method: 'DELETE', path: `orders/${uuid}`, changes: [removed(wish.journal, key)] }
}

const hit = ({ random }: Wish): Request => {
  const name = random.of(HITS)!
  const additions = [{ key: `sums ${name}`, by: 1 }]
  return { method: 'PUT', path: `sums/${name}`, body: { n: { $inc: 1 } }, changes: [], additions }
}

/** One transaction: two accounts, the paper about it and its connection. */
const transfer = ({ own, random, newName }: Wish): Request | undefined => {
  if (own('transfers').length >= MAX_TRANSFERS) return undefined
  const name = newName()
  const [from, to, hub] = [random.of(ACCOUNTS)!, random.of(ACCOUNTS)!, random.of(HUBS)]
  const paper = { key: `transfers ${name}`, name, stamp: name, from, to, amount: random.between(1, 99) }
  const operations = [
    ...moving(paper, 1),
    { id: 'paper', method: 'POST', path: 'transfers', body: paper },
    { method: 'POST', path: `transfers/$paper/follows/hubs/${hub}` },
  ]
  const connection = { key: `${paper.key} follows hubs ${hub}`, before: null, after: true } as const
  return {
    ...batch(operations),
    headers: repeatable(name),
    changes: [created(paper), connection],
    additions: additionsOf(paper, 1),
  }
}

const undoTransfer = (wish: Wish): Request | undefined => {
  const key = wish.random.of(wish.own('transfers'))
  if (key === undefined || wish.own('transfers').length < MAX_TRANSFERS / 2) return undefined
  const paper = wish.journal.fact(key) as unknown as Paper
  const operations = [{ method: 'DELETE', path: pathOf(key) }, ...moving(paper, -1)]
  return { ...batch(operations), changes: removedWhole(wish, key), additions: additionsOf(paper, -1) }
}

interface Paper {
  from: string
  to: string
  amount: number
}

const moving = ({ from, to, amount }: Paper, sign: 1 | -1): object[] =>
  [
    [from, -sign * amount],
    [to, sign * amount],
  ].map(([name, by]) => ({ method: 'PUT', path: `sums/${name}`, body: { n: { $inc: by } } }))

const additionsOf = ({ from, to, amount }: Paper, sign: 1 | -1): Addition[] => [
  { key: `sums ${from}`, by: -sign * amount },
  { key: `sums ${to}`, by: sign * amount },
]

const batch = (operations: object[]) => ({ method: 'POST', path: '_batch', body: { operations } })

const repeatable = (name: string) => ({ 'idempotency-key': `key of ${name}`.replaceAll(' ', '-') })

/** Twice or more, where there is to be more of it. */
export const REQUESTS: readonly ((wish: Wish) => Request | undefined)[] = [
  create,
  create,
  createByPut,
  update,
  update,
  update,
  remove,
  connect,
  connect,
  follow,
  disconnect,
  createBatch,
  updateBatch,
  removeBatch,
  takeSeat,
  takeSeat,
  leaveSeat,
  takeAddress,
  order,
  order,
  cancelOrder,
  hit,
  hit,
  transfer,
  transfer,
  undoTransfer,
]

export const created = (body: Properties): Change => ({ key: String(body['key']), before: null, after: body })

/** The part of an entity that a PUT leaves as it is, with what it brings; `modified` is not known before the reply. */
const updated = (journal: Journal, key: string, body: Properties): Change => {
  const before = journal.fact(key)
  const { modified: _, ...rest } = before as Properties
  return { key, before, after: { ...rest, ...body } }
}

const removed = (journal: Journal, key: string): Change => ({ key, before: journal.fact(key), after: null })

/** An entity goes with its connections. */
const removedWhole = (wish: Wish, key: string): Change[] => {
  const ends = wish
    .connections()
    .filter((connection) => connection.split(/ (?:likes|follows) /).includes(key))
  return [key, ...ends].map((gone) => removed(wish.journal, gone))
}

const connecting = (journal: Journal, source: string, verb: string, target: string): Request => {
  const key = `${source} ${verb} ${target}`
  const change = { key, before: journal.fact(key) as Fact, after: true } as const
  return { method: 'POST', path: `${pathOf(source)}/${verb}/${pathOf(target)}`, changes: [change] }
}

const batchOf = ({ journal, random, own }: Wish): [string | undefined, string[]] => {
  const nameOf = (key: string) => (journal.fact(key) as Properties)['batch'] as string
  const notes = own('notes')
  const one = random.of(notes)
  if (one === undefined) return [undefined, []]
  return [nameOf(one), notes.filter((key) => nameOf(key) === nameOf(one))]
}

const dog = (name: string, random: Random): Properties => ({
  key: `dogs ${name}`,
  name,
  stamp: name,
  n: random.between(0, 99),
  tags: tagsOf(random),
  about: `words of ${name} ${'and many others '.repeat(random.between(0, 20))}`,
})

const tagsOf = (random: Random): string[] =>
  Array.from({ length: random.between(0, 3) }, () => `tag${random.between(0, 9)}`)

export const endsOf = (connection: string): [source: string, verb: string, target: string] => {
  const [, source, verb, target] = /^(.*) (likes|follows) (.*)$/.exec(connection)!
  return [source!, verb!, target!]
}

const pathOf = (key: string): string => key.replace(' ', '/')
