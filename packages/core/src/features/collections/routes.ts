import { isAppAdmin } from '../../api/caller.js'
import { type EnvelopeValue, members, paramsJson, RawJson, times } from '../../api/envelope.js'
import { addHeader } from '../../api/reply.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, type Route, route } from '../../api/route.js'
import { param } from '../../api/url.js'
import {
  type Conditions,
  checkConditions,
  entityTag,
  isFresh,
  NO_CONDITIONS,
  readConditions,
} from '../../domain/entity-tag.js'
import { unauthorized } from '../../domain/errors.js'
import { collectionName } from '../../domain/names.js'
import { asObject, type Engine } from '../../engine/engine.js'
import type { QueryWarning } from '../../storage/store.js'
import type { CollectionAdministration, CollectionJob } from './administration.js'
import { type OperationResult, readOperations } from './batch.js'
import type { CollectionResult, WriteVerb } from './call.js'
import type { Collections } from './collections.js'
import { once, repeatable } from './once.js'
import type { PathReader } from './path.js'
import { linksShown, type Renderer, type RenderOptions } from './render.js'

export interface CollectionDoors {
  engine: Engine
  collections: Collections
  paths: PathReader
  renderer: Renderer
}

const WRITES: Readonly<Record<string, WriteVerb>> = {
  POST: 'post',
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Answers every path below an application that no other route answers. */
export const collectionsDoor =
  ({ engine, collections, paths, renderer }: CollectionDoors) =>
  async (call: AppCall): Promise<ApiReply> => {
    const { app, caller, request, params, segments } = call
    const path = await engine.look(app.id, (reads) => paths.read(reads, segments))
    const conditions = readConditions(request)
    const asked = { app, caller, path, params, body: request.body, conditions }
    const verb = WRITES[request.method]
    if (verb === undefined && param(params, 'analyzeOnly') === 'true')
      return analysis(call, await collections.analyse(asked))
    const show = new Showing(call, collections, renderer)
    const { idempotencyKey: key } = request
    if (verb === 'post' && key !== undefined)
      return collections.postOnce(asked, repeatable(key, caller.label, identityOf(request)), (result) =>
        show.reply(result),
      )
    const result = await (verb === undefined ? collections.get(asked) : collections.write(verb, asked))
    return verb === undefined ? show.fresh(result, conditions) : show.reply(result)
  }

/** What two requests with the same idempotency key must share. */
const identityOf = ({ method, path, search, body }: AppCall['request']): unknown[] => [
  method,
  path,
  search,
  body,
]

/** `POST /_batch`: operations that are carried out together, or not at all. */
export const batchRoute = ({ collections, renderer }: CollectionDoors): Route<AppCall> =>
  route('POST', '_batch', async (call: AppCall) => {
    const { app, caller, request } = call
    const operations = readOperations(request.body, collections.limits)
    const show = new Showing(call, collections, renderer)
    const { idempotencyKey: key } = request
    const wanted = key === undefined ? null : repeatable(key, caller.label, identityOf(request))
    return collections.batch(app, caller, operations, (edits, work) => {
      const carryOut = () => show.results(work())
      return wanted === null ? carryOut() : once(edits, wanted, carryOut)
    })
  })

/** Writes results as replies to one call. */
class Showing {
  readonly #call: AppCall
  readonly #renderer: Renderer
  readonly #connections: RenderOptions['connections']
  readonly #etag: boolean
  readonly #mayFollow: RenderOptions['mayFollow']

  constructor(call: AppCall, collections: Collections, renderer: Renderer) {
    const { app, caller, params } = call
    this.#call = call
    this.#renderer = renderer
    this.#connections = connectionsOf(param(params, 'connections'))
    this.#etag = param(params, 'etags') === 'true'
    this.#mayFollow = isAppAdmin(caller, app)
      ? undefined
      : (entity, verb, direction) => collections.mayFollow(caller, app, entity, verb, direction)
  }

  reply(result: CollectionResult): ApiReply {
    const { base, cursor, isRootListing, failed, total } = result
    const entities = this.#entities(result)
    const reply = appEnvelope(this.#call, {
      path: base,
      entities: new RawJson(`[${entities.join(',')}]`),
      failed:
        failed === undefined || failed.length === 0
          ? undefined
          : failed.map(({ index, error }) => ({
              index,
              error: error.code,
              error_description: error.message,
            })),
      count: isRootListing === true ? entities.length : undefined,
      total,
      cursor: cursor ?? undefined,
    })
    const tag = this.#tagOf(result)
    if (tag !== undefined) addHeader(reply, 'ETag', tag)
    return reply
  }

  /** The reply to a GET: without a body where the client's copy is still good. @throws {AppError} `precondition_failed`. */
  fresh(result: CollectionResult, conditions: Conditions): ApiReply {
    const tag = this.#tagOf(result)
    if (tag === undefined || conditions === NO_CONDITIONS) return this.reply(result)
    checkConditions({ ...conditions, ifNoneMatch: null }, result.entities[0]!)
    return isFresh(conditions, tag) ? { status: 304, body: '', headers: { ETag: tag } } : this.reply(result)
  }

  results(results: readonly OperationResult[]): ApiReply {
    const shown = results.map((result) => {
      const tag = this.#tagOf(result)
      const head = { ...(result.id === undefined ? {} : { id: result.id }), status: 200 }
      const json = JSON.stringify(tag === undefined ? head : { ...head, etag: tag })
      return `${json.slice(0, -1)},"entities":[${this.#entities(result).join(',')}]}`
    })
    return appEnvelope(this.#call, { path: '/_batch', results: new RawJson(`[${shown.join(',')}]`) })
  }

  /** Of what the caller sees: who may not follow a connection must not learn of it by a tag. */
  #tagOf({ isSingle, entities: [entity] }: CollectionResult): string | undefined {
    return isSingle === true && entity !== undefined
      ? entityTag(entity.doc, linksShown(entity, this.#mayFollow))
      : undefined
  }

  // An object written out is made in a tenth of the time that one takes which begins with a spread.
  #entities({ entities, base, bases, distances, query }: CollectionResult): string[] {
    return entities.map((entity, i) =>
      this.#renderer.entity(entity, {
        base: bases?.[i] ?? base,
        distance: distances?.[i],
        projection: query?.projection,
        connections: this.#connections,
        etag: this.#etag,
        mayFollow: this.#mayFollow,
      }),
    )
  }
}

const analysis = (
  call: AppCall,
  { base, warnings }: { base: string; warnings: readonly QueryWarning[] },
): ApiReply =>
  appEnvelope(call, {
    action: 'query analysis only',
    path: base,
    status: 'ok',
    metadata: { queryWarnings: warnings.map((warning) => ({ ...warning })) },
    entities: [],
  })

const connectionsOf = (value: string | undefined): 'none' | 'in' | 'out' | 'all' =>
  value === 'none' || value === 'in' || value === 'out' ? value : 'all'

type AppFields = Record<string, EnvelopeValue> & { action?: string; path?: string }

/** Members that have a place of their own. */
const PLACED = ['action', 'path']

/** The envelope of a reply in an application. `path` is below it. Written as text: it is part of every reply. */
export const appEnvelope = (call: AppCall, fields: AppFields): ApiReply => {
  const { app, request, params, startedAt, now } = call
  const { action = request.method.toLowerCase(), path = '' } = fields
  const uri = `${request.baseUrl}/${app.name}${path}`
  const body =
    `{"action":${JSON.stringify(action)},"application":"${app.uuid}","params":${paramsJson(params)},` +
    (path === '' ? '' : `"path":${JSON.stringify(path)},`) +
    `"uri":${JSON.stringify(uri)},${members(fields, PLACED)}` +
    `"organization":${JSON.stringify(app.organizationName)},` +
    `"applicationName":${JSON.stringify(app.applicationName)},${times(startedAt, now())}}`
  return { status: 200, body }
}

/** Settings, `_reindex` and `_clear`: for administrators of the application. */
export const administrationRoutes = (administration: CollectionAdministration): Route<AppCall>[] => [
  route('GET', ':collection/_settings', async (call: AppCall) => {
    const data = await administration.settings(call.app.id, adminsCollection(call))
    return appEnvelope(call, { data: data === null ? undefined : (data as never), entities: [] })
  }),
  route(['POST', 'PUT'], ':collection/_settings', async (call: AppCall) => {
    const merge = param(call.params, 'replace_all') === 'false'
    const collection = adminsCollection(call)
    const body = asObject(call.request.body ?? {})
    const data = await administration.configure(
      call.app.id,
      call.caller.label,
      writer(call),
      collection,
      body,
      merge,
    )
    return appEnvelope(call, { action: 'post', data: data as never, entities: [] })
  }),
  route('DELETE', ':collection/_settings', async (call: AppCall) => {
    await administration.reset(call.app.id, call.caller.label, adminsCollection(call))
    return appEnvelope(call, { entities: [] })
  }),
  route(['POST', 'PUT'], ':collection/_reindex', async (call: AppCall) =>
    jobReply(call, 'rebuild indexes', administration.startReindex(call.app.id, adminsCollection(call))),
  ),
  route('GET', ':collection/_reindex/:job', async (call: AppCall) =>
    jobReply(
      call,
      'get rebuild index status',
      administration.job(call.app.id, adminsCollection(call), call.args[1]!),
    ),
  ),
  route('POST', ':collection/_clear', async (call: AppCall) => {
    const [first] = Array.isArray(call.request.body) ? call.request.body : [call.request.body]
    const before = asObject(first ?? {})['updatedBefore']
    const updatedBefore = typeof before === 'number' ? before : null
    return jobReply(
      call,
      'clear collection',
      administration.startClear(call.app.id, call.caller.label, adminsCollection(call), updatedBefore),
    )
  }),
  route('GET', ':collection/_clear/:job', async (call: AppCall) => {
    const job = administration.job(call.app.id, adminsCollection(call), call.args[1]!)
    return jobReply(call, 'clear collection', job, { numberCheckedForDeletion: job.numberQueued })
  }),
]

const adminsCollection = ({ caller, app, args }: AppCall): string => {
  if (!isAppAdmin(caller, app)) throw unauthorized()
  return collectionName(args[0]!)
}

const writer = ({ caller: { principal } }: AppCall): string =>
  'username' in principal ? principal.username : 'app credentials'

const jobReply = (
  call: AppCall,
  action: string,
  { jobId, status, lastUpdatedEpoch, numberQueued }: CollectionJob,
  more: { numberCheckedForDeletion?: number } = {},
): ApiReply => appEnvelope(call, { action, jobId, status, lastUpdatedEpoch, numberQueued, ...more })
