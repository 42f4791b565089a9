import { cpuSeconds, memory } from '../processes.js'
import type { Context, Request, Scenario, Target } from '../target.js'
import { loadTarget } from '../targets.js'
import { Connection, type Reply } from './connection.js'
import type { Answer, Figures, Order, Pids, Run } from './protocol.js'

/** The process that makes the load: takes orders one at a time and answers each. */

interface Known {
  target: Target
  context: Context
  pids: Pids
  scenarios: Partial<Record<Scenario, (index: number) => Request>>
  /** Requests made so far, so that none is made twice. */
  counter: number
  /** Ids that `create` and `batch` left and `remove` takes. */
  made: string[]
}

const MAX_CLEANED = 50_000
const known = new Map<string, Known>()

const use = async ({ target: name, context, pids }: Order & { kind: 'use' }): Promise<void> => {
  const target = await loadTarget(name)
  known.set(name, { target, context, pids, scenarios: target.scenarios(context), counter: 0, made: [] })
}

const run = async (state: Known, { scenario, connections, seconds, maxRequests }: Run): Promise<Figures> => {
  const kept: Buffer[] = []
  const keeps = scenario === 'create' || scenario === 'batch'
  const next = scenario === 'remove' ? removals(state) : requests(state, scenario)
  const clients = await Promise.all(
    Array.from({ length: connections }, () => Connection.open(state.context.url)),
  )
  const latencies: number[] = []
  let [failures, failure, started] = [0, undefined as string | undefined, 0]

  const cpuBefore = usedCpu(state.pids)
  const start = performance.now()
  const end = start + seconds * 1000
  await Promise.all(
    clients.map(async (client) => {
      for (let now = performance.now(); now < end && started < maxRequests; ) {
        const request = next()
        if (request === null) return
        started++
        const reply = await client.send(request)
        const done = performance.now()
        latencies.push(done - now)
        now = done
        if (reply.status < 200 || reply.status > 299) {
          failures++
          failure ??= describe(request, reply)
        } else if (keeps) kept.push(reply.body)
      }
    }),
  )
  const elapsed = (performance.now() - start) / 1000
  const cpuAfter = usedCpu(state.pids)
  for (const client of clients) client.close()
  for (const body of kept) state.made.push(...state.target.idsOf(body.toString()))

  const requestCount = latencies.length
  latencies.sort((a, b) => a - b)
  const perThousand = (after = 0, before = 0) => ((after - before) / Math.max(1, requestCount)) * 1000
  return {
    requests: requestCount,
    rate: requestCount / elapsed,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpu: perThousand(cpuAfter.server, cpuBefore.server),
    ...(cpuAfter.database !== undefined && {
      databaseCpu: perThousand(cpuAfter.database, cpuBefore.database),
    }),
    memory: memory(state.pids.server, 'VmRSS'),
    failures,
    ...(failure !== undefined && { failure }),
  }
}

const usedCpu = ({ server, database }: Pids): { server: number; database?: number } => ({
  server: cpuSeconds(server),
  ...(database !== undefined && { database: cpuSeconds(database) }),
})

const requests = (state: Known, scenario: Scenario): (() => Request) => {
  const make = state.scenarios[scenario]
  if (make === undefined) throw new Error(`${state.target.title} has no scenario ${scenario}`)
  const headers = scenario === 'asUser' ? state.context.userHeaders : state.context.headers
  return () => withHeaders(make(state.counter++), headers)
}

/** Ends when nothing is left to delete. */
const removals = (state: Known) => (): Request | null => {
  const id = state.made.pop()
  return id === undefined ? null : withHeaders(state.target.remove!(state.context, id), state.context.headers)
}

const withHeaders = (request: Request, headers: Record<string, string>): Request => {
  request.headers = request.headers === undefined ? headers : { ...headers, ...request.headers }
  return request
}

const clean = async (state: Known, connections: number): Promise<Figures | undefined> =>
  state.made.length === 0
    ? undefined
    : run(state, { scenario: 'remove', connections, seconds: 20, maxRequests: MAX_CLEANED })

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

const describe = ({ method, path }: Request, { status, body }: Reply): string =>
  `${method} ${path}: ${status} ${body.toString('utf8', 0, 300)}`

const obey = async (order: Order): Promise<Figures | undefined> => {
  if (order.kind === 'use') {
    await use(order)
    return undefined
  }
  const state = known.get(order.target)
  if (state === undefined) throw new Error(`No target ${order.target}`)
  return order.kind === 'run' ? run(state, order.run) : clean(state, order.connections)
}

process.on('message', (order: Order) => {
  obey(order).then(
    (figures) => process.send!({ figures } satisfies Answer),
    (error) => process.send!({ error: String(error?.stack ?? error) } satisfies Answer),
  )
})
process.on('disconnect', () => process.exit())
