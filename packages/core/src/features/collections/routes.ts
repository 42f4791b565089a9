import { isAppAdmin } from '../../api/caller.js'
import { type EnvelopeValue, envelope, paramsJson, RawJson } from '../../api/envelope.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, type Route, route } from '../../api/route.js'
import { param } from '../../api/url.js'
import { unauthorized } from '../../domain/errors.js'
import { collectionName } from '../../domain/names.js'
import { asObject } from '../../engine/engine.js'
import type { QueryWarning } from '../../storage/store.js'
import type { CollectionAdministration, CollectionJob } from './administration.js'
import type { CollectionResult } from './call.js'
import type { Collections } from './collections.js'
import type { PathReader } from './path.js'
import type { Renderer } from './render.js'

export interface CollectionDoors {
  collections: Collections
  paths: PathReader
  renderer: Renderer
}

/** Answers every path below an application that no other route answers. */
export const collectionsDoor =
  ({ collections, paths, renderer }: CollectionDoors) =>
  async (call: AppCall): Promise<ApiReply> => {
    const { app, caller, request, params, segments } = call
    const path = await paths.read(app.id, segments)
    const asked = { app, caller, path, params, body: request.body }
    if (request.method === 'GET' && param(params, 'analyzeOnly') === 'true')
      return analysis(call, await collections.analyse(asked))
    const connections = connectionsOf(param(params, 'connections'))
    const mayFollow = isAppAdmin(caller, app)
      ? undefined
      : (
          ...[entity, verb, direction]: Parameters<
            NonNullable<Parameters<Renderer['entity']>[1]['mayFollow']>
          >
        ) => collections.mayFollow(caller, app, entity, verb, direction)
    const result = await work(collections, request.method, asked)
    const entities = result.entities.map((entity, i) =>
      renderer.entity(entity, {
        base: result.bases?.[i] ?? result.base,
        distance: result.distances?.[i],
        projection: result.query?.projection,
        connections,
        mayFollow,
      }),
    )
    return reply(call, result, entities)
  }

const work = (
  collections: Collections,
  method: string,
  asked: Parameters<Collections['get']>[0],
): Promise<CollectionResult> => {
  if (method === 'POST') return collections.post(asked)
  if (method === 'PUT') return collections.put(asked)
  return method === 'DELETE' ? collections.remove(asked) : collections.get(asked)
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

const reply = (
  call: AppCall,
  { base, cursor, isRootListing, failed }: CollectionResult,
  entities: readonly string[],
): ApiReply =>
  appEnvelope(call, {
    path: base,
    entities: new RawJson(`[${entities.join(',')}]`),
    failed:
      failed === undefined || failed.length === 0
        ? undefined
        : failed.map(({ index, error }) => ({ index, error: error.code, error_description: error.message })),
    count: isRootListing === true ? entities.length : undefined,
    cursor: cursor ?? undefined,
  })

/** The envelope of a reply in an application. `path` is below it. */
export const appEnvelope = (
  { app, request, params, startedAt, now }: AppCall,
  {
    action = request.method.toLowerCase(),
    path = '',
    ...fields
  }: Record<string, EnvelopeValue> & { action?: string; path?: string },
): ApiReply =>
  envelope(
    {
      action,
      application: app.uuid,
      params: paramsJson(params),
      path: path === '' ? undefined : path,
      uri: `${request.baseUrl}/${app.name}${path}`,
      ...fields,
      organization: app.organizationName,
      applicationName: app.applicationName,
    },
    startedAt,
    now(),
  )

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
