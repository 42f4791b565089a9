import type { Engine, Principal } from '@entigrid/core'
import { type Ask, type Asker, addressOf, type Thing, type Verb, type World } from './model.js'
import type { Random } from './random.js'

/** One request as it goes out: words of a path, not yet encoded. */
export interface Wire {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  words: string[]
  params: Record<string, string>
  body?: object
}

export interface Outcome {
  status: number
  error: string | null
  /** Uuids of the entities in the reply. */
  uuids: string[]
  /** Of those that show their `code` or e-mail address, their types. */
  telling: string[]
  total?: number | undefined
}

/** Sends a request as somebody, by one way; `null` where that way has no such request. */
export type Transport = (wire: Wire, ask: Ask, asker: Asker) => Promise<Outcome | null>

const METHODS = { get: 'GET', post: 'POST', put: 'PUT', delete: 'DELETE' } as const
let made = 0

/** What is asked, spelled in one of the ways there are. */
export const spell = (random: Random, { hidden }: World, ask: Ask, asker: Asker): Wire => {
  const verb: Verb = ask.verb
  const wire = (words: string[], body?: object, params: Record<string, string> = {}): Wire => ({
    method:
      verb === 'put' && random.chance(0.3) && ask.kind !== 'strings' && ask.kind !== 'link'
        ? 'PATCH'
        : METHODS[verb],
    words,
    params,
    ...(body === undefined || verb === 'get' || verb === 'delete' ? {} : { body }),
  })
  const collection = (word: string) => random.pick([word, word, word.toUpperCase(), word.slice(0, -1)])
  const ref = (thing: Thing): string =>
    random.pick([
      ...[thing.uuid, thing.name, thing.name],
      ...(thing.collection === 'users' && !hidden.includes('users') ? [addressOf(thing)] : []),
      ...(thing === asker ? ['me'] : []),
    ])
  const nameOf = (thing: Thing): string => (thing === asker && random.chance(0.5) ? 'me' : thing.name)
  const at = (thing: Thing) => [collection(thing.collection), ref(thing)]
  const start = (ask: { start: { root: Thing; by: string } | null; from: Thing }): string[] =>
    ask.start === null
      ? at(ask.from)
      : [...at(ask.start.root), ask.start.by, ask.from.collection, ref(ask.from)]
  const asked = (ql: string) => ({ limit: '1000', count: 'total', ...(ql === '' ? {} : { ql }) })
  const named = (values: object) => {
    const name = `new${++made}`
    return { name, username: name, path: name, ...values }
  }
  switch (ask.kind) {
    case 'collection':
      if (verb === 'post') return wire([collection(ask.collection)], named(ask.values))
      return wire([collection(ask.collection)], { touched: ++made, ...ask.values }, asked(ask.ql))
    case 'analysis':
      return wire([collection(ask.collection)], undefined, { analyzeOnly: 'true' })
    case 'entity':
      return wire(at(ask.entity), { touched: ++made, ...ask.values })
    case 'address':
      return wire([collection('users'), addressOf(ask.user)], { touched: ++made })
    case 'strings':
      return wire(
        [...at(ask.entity), 'permissions'],
        { permission: 'get:/nothing' },
        verb === 'delete' ? { permission: 'get:/nothing' } : {},
      )
    case 'through':
      return wire(
        [collection(ask.collection), random.pick(startsOf(ask.startQl)), ask.word],
        undefined,
        asked(ask.ql),
      )
    case 'list':
      return wire(
        [
          ...start(ask),
          ...(ask.incoming ? ['connecting'] : []),
          ask.word,
          ...(ask.type === null ? [] : [ask.type]),
        ],
        undefined,
        asked(ask.ql),
      )
    case 'made':
      return wire([...at(ask.from), ask.word, ...(ask.typed ? [ask.collection] : [])], named(ask.values))
    case 'link':
      return wire(
        [
          ...start(ask),
          ask.word,
          ...(ask.typed ? [ask.to.collection] : []),
          ask.named ? nameOf(ask.to) : ask.to.uuid,
        ],
        { touched: ++made, ...ask.values },
      )
  }
}

const startsOf = (ql: string): string[] =>
  ql === '' ? ['all', '{"limit":"100"}'] : [JSON.stringify({ ql, limit: 100 })]

const outcomeOf = (status: number, text: string): Outcome => {
  const body = JSON.parse(text)
  const { entities = body.results?.[0].entities ?? [], error = null, total } = body
  return { status, error, total, ...told(entities) }
}

const told = (entities: { uuid: string; type: string; code?: string; email?: string }[]) => ({
  uuids: entities.map(({ uuid }) => uuid),
  telling: entities
    .filter(({ code, email }) => code !== undefined || email !== undefined)
    .map(({ type }) => `${type}s`),
})

const urlOf = ({ words, params }: Wire): { path: string; search: string } => ({
  path: words.map(encodeURIComponent).join('/'),
  search: new URLSearchParams(params).toString().replaceAll('+', '%20'),
})

/** Over a socket, by token. */
export const overHttp =
  (root: string, tokens: Map<Asker, string>): Transport =>
  async (wire, _, asker) => {
    const { path, search } = urlOf(wire)
    const token = tokens.get(asker)
    const reply = await fetch(`${root}/${path}?${search}`, {
      method: wire.method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(wire.body === undefined ? {} : { body: JSON.stringify(wire.body) }),
    })
    return outcomeOf(reply.status, await reply.text())
  }

export const principalOf = (app: string, asker: Asker): Principal =>
  asker === null ? { kind: 'guest' } : { kind: 'user', app, uuid: asker.uuid, username: asker.name }

/** To the engine itself, which is told who is asking. */
export const handled =
  (engine: Engine, root: string, app: string): Transport =>
  async (wire, _, asker) => {
    const { path, search } = urlOf(wire)
    const { method, body } = wire
    const reply = await engine.handle({
      method: method as 'GET',
      path: `${root}/${path}`,
      search,
      baseUrl: 'http://here',
      principal: principalOf(app, asker),
      ...(body === undefined ? {} : { body: structuredClone(body) as never }),
    })
    return outcomeOf(reply.status, reply.body)
  }

/** By the methods of a session in process. */
export const inProcess =
  (engine: Engine, name: string, app: string): Transport =>
  async ({ method, words, params, body }, ask, asker) => {
    const session = await engine.app(name).as(principalOf(app, asker))
    const [collection = '', ref = ''] = words
    const properties = body as never
    const { ql, count } = params
    const options = {
      ...(ql === undefined ? {} : { ql }),
      ...(count === undefined ? {} : { count: 'total' as const }),
    }
    const far = () => ({ collection: ask.kind === 'link' ? ask.to.collection : '', ref: words.at(-1)! })
    const calls: Record<string, (() => Promise<unknown>) | undefined> = {
      'collection GET': () => session.list(collection, { limit: 1000, ...options }),
      'collection POST': () => session.create(collection, properties),
      'entity GET': () => session.get(collection, ref),
      'entity PUT': () => session.put(collection, ref, properties),
      'entity PATCH': () => session.patch(collection, ref, properties),
      'entity DELETE': () => session.remove(collection, ref),
      'list GET':
        ask.kind === 'list' && ask.type === null && ask.start === null
          ? () => session[ask.incoming ? 'connecting' : 'connected']({ collection, ref }, ask.word, options)
          : undefined,
      'made POST':
        ask.kind === 'made' && ask.typed
          ? async () => ({
              entities: await session.createConnected({ collection, ref }, ask.word, ask.collection, [
                properties,
              ]),
            })
          : undefined,
      'link POST':
        ask.kind === 'link' && ask.typed && ask.start === null
          ? () => session.connect({ collection, ref }, ask.word, far())
          : undefined,
      'link DELETE':
        ask.kind === 'link' && ask.typed && ask.start === null
          ? () => session.disconnect({ collection, ref }, ask.word, far())
          : undefined,
    }
    const call = calls[`${ask.kind} ${method}`]
    if (call === undefined || (params['ql'] !== undefined && method !== 'GET')) return null
    return outcomeOfCall(call)
  }

const outcomeOfCall = async (call: () => Promise<unknown>): Promise<Outcome> => {
  try {
    const result = (await call()) as { entities?: never[]; uuid?: string; total?: number } | undefined
    const entities = result?.entities ?? (result?.uuid === undefined ? [] : [result as never])
    return { status: 200, error: null, total: result?.total, ...told(entities) }
  } catch (error) {
    const { status, code } = error as { status?: number; code: string }
    if (status === undefined) throw error
    return { status, error: code, ...told([]) }
  }
}

/** As the only operation of a batch; there are no lists and no queries there. */
const operationOf = ({ method, words, body }: Wire, ask: Ask) => {
  const { kind, verb } = ask
  const isWrite =
    kind === 'made' ||
    (kind === 'collection' && verb === 'post') ||
    (kind === 'link' && verb !== 'get' && ask.start === null)
  if (!isWrite && kind !== 'entity' && kind !== 'address') return null
  const path = words.map(encodeURIComponent).join('/').replaceAll('$', '%24')
  return { method, path, ...(body === undefined ? {} : { body: body as never }) }
}

export const batched =
  (send: Transport): Transport =>
  async (wire, ask, asker) => {
    const operation = operationOf(wire, ask)
    if (operation === null) return null
    return send(
      { method: 'POST', words: ['_batch'], params: {}, body: { operations: [operation] } },
      ask,
      asker,
    )
  }

export const batchedInProcess =
  (engine: Engine, name: string, app: string): Transport =>
  async (wire, ask, asker) => {
    const operation = operationOf(wire, ask)
    if (operation === null) return null
    const session = await engine.app(name).as(principalOf(app, asker))
    return outcomeOfCall(async () => (await session.batch([operation]))[0])
  }

/** Asks the administrator's way what would be decided, which is no answer to what depends on a body or a query. */
export const explained =
  (
    admin: (method: 'GET', path: string) => Promise<{ data: { allowed: boolean; status?: number } }>,
  ): Transport =>
  async ({ method, words, params }, ask, asker) => {
    const isMore = 'values' in ask && Object.keys(ask.values).length > 0 && ask.verb !== 'delete'
    if (isMore || ask.kind === 'collection' || ask.kind === 'made' || ask.kind === 'analysis') return null
    const { path } = urlOf({ method, words, params })
    const search = new URLSearchParams({ user: asker?.name ?? 'guest', method, path })
    const { data } = await admin('GET', `_access?${search}`)
    const { status = 200 } = data
    return { status, error: status === 401 ? 'unauthorized' : null, ...told([]) }
  }
