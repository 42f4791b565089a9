import type { Engine, Principal } from '@entigrid/core'
import type { Ask, Asker, Thing, Verb } from './model.js'
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
}

/** Sends a request as somebody, by one way; `null` where that way has no such request. */
export type Transport = (wire: Wire, ask: Ask, asker: Asker) => Promise<Outcome | null>

const METHODS = { get: 'GET', post: 'POST', put: 'PUT', delete: 'DELETE' } as const
let made = 0

/** What is asked, spelled in one of the ways there are. */
export const spell = (random: Random, ask: Ask, asker: Asker): Wire => {
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
    random.pick([thing.uuid, thing.name, thing.name, ...(thing === asker ? ['me'] : [])])
  const nameOf = (thing: Thing): string => (thing === asker && random.chance(0.5) ? 'me' : thing.name)
  const at = (thing: Thing) => [collection(thing.collection), ref(thing)]
  switch (ask.kind) {
    case 'collection': {
      const name = `new${++made}`
      if (verb === 'get') return wire([collection(ask.collection)], undefined, { limit: '1000' })
      // By a query, one that finds nothing.
      if (verb !== 'post')
        return wire([collection(ask.collection)], { touched: true }, { ql: "touched = 'no'" })
      return wire([collection(ask.collection)], { name, username: name, path: name })
    }
    case 'entity':
      return wire(at(ask.entity), { touched: ++made })
    case 'strings':
      return wire(
        [...at(ask.entity), 'permissions'],
        { permission: 'get:/nothing' },
        verb === 'delete' ? { permission: 'get:/nothing' } : {},
      )
    case 'through':
      return wire([collection(ask.collection), random.pick(['all', '{"limit":"100"}']), ask.word])
    case 'list':
      return wire([
        ...at(ask.from),
        ...(ask.incoming ? ['connecting'] : []),
        ask.word,
        ...(ask.type === null ? [] : [ask.type]),
      ])
    case 'link':
      return wire(
        [
          ...at(ask.from),
          ask.word,
          ...(ask.typed ? [ask.to.collection] : []),
          ask.named ? nameOf(ask.to) : ask.to.uuid,
        ],
        { touched: ++made },
      )
  }
}

const outcomeOf = (status: number, text: string): Outcome => {
  const body = JSON.parse(text)
  return {
    status,
    error: body.error ?? null,
    uuids: (body.entities ?? body.results?.[0].entities ?? []).map(({ uuid }: { uuid: string }) => uuid),
  }
}

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
    const far = () => ({ collection: ask.kind === 'link' ? ask.to.collection : '', ref: words.at(-1)! })
    const calls: Record<string, (() => Promise<unknown>) | undefined> = {
      'collection GET': () => session.list(collection, { limit: 1000 }),
      'collection POST': () => session.create(collection, properties),
      'entity GET': () => session.get(collection, ref),
      'entity PUT': () => session.put(collection, ref, properties),
      'entity PATCH': () => session.patch(collection, ref, properties),
      'entity DELETE': () => session.remove(collection, ref),
      'list GET':
        ask.kind === 'list' && ask.type === null
          ? () =>
              ask.incoming
                ? session.connecting({ collection, ref }, ask.word)
                : session.connected({ collection, ref }, ask.word)
          : undefined,
      'link POST':
        ask.kind === 'link' && ask.typed
          ? () => session.connect({ collection, ref }, ask.word, far())
          : undefined,
      'link DELETE':
        ask.kind === 'link' && ask.typed
          ? () => session.disconnect({ collection, ref }, ask.word, far())
          : undefined,
    }
    const call = calls[`${ask.kind} ${method}`]
    if (call === undefined || (params['ql'] !== undefined && method !== 'GET')) return null
    return outcomeOfCall(call)
  }

const outcomeOfCall = async (call: () => Promise<unknown>): Promise<Outcome> => {
  try {
    const result = (await call()) as { entities?: { uuid: string }[]; uuid?: string } | undefined
    const entities = result?.entities ?? (result?.uuid === undefined ? [] : [{ uuid: result.uuid }])
    return { status: 200, error: null, uuids: entities.map(({ uuid }) => uuid) }
  } catch (error) {
    const { status, code } = error as { status?: number; code: string }
    if (status === undefined) throw error
    return { status, error: code, uuids: [] }
  }
}

/** As the only operation of a batch; there are no lists and no queries there. */
const operationOf = ({ method, words, body }: Wire, { kind, verb }: Ask) => {
  const isWrite = (kind === 'collection' && verb === 'post') || (kind === 'link' && verb !== 'get')
  if (!isWrite && kind !== 'entity') return null
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
