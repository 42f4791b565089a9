import { Load } from './load/load.js'
import type { Figures } from './load/protocol.js'
import { prepare } from './prepare.js'
import { LOAD_CORE, memory, pinSelf } from './processes.js'
import { openPostgres, type Postgres, type Running, startTarget } from './running.js'
import { SCENARIO_NAMES, type Scenario, type Target } from './target.js'
import { loadTarget } from './targets.js'

export interface Plan {
  targets: string[]
  scenarios: Scenario[]
  /** Numbers of stored items. */
  sizes: number[]
  connections: number[]
  rounds: number
  /** Of one round of one scenario. */
  seconds: number
}

/** All figures of one scenario of one target, one per round. */
export interface Row {
  target: string
  size: number
  connections: number
  scenario: Scenario
  rounds: Figures[]
}

export interface Facts {
  title: string
  durability: string
  /** Seconds that the load took, and the peak of memory in MiB, by number of stored items. */
  loadSeconds: Record<number, number>
  peakMemory: Record<number, number>
}

export interface Results {
  plan: Plan
  rows: Row[]
  targets: Record<string, Facts>
}

const WARM_UP_SECONDS = 0.5
const MAX_REQUESTS = 50_000
/** Up to this size, what the write scenarios add would change what the others measure, and is deleted after each round. */
const CLEANED_SIZE = 10_000
const CLEANING_CONNECTIONS = 32

/** Measures every target under every scenario, in rounds that take turns, so that a slow minute meets all alike. */
export const compare = async (plan: Plan, progress: (text: string) => void): Promise<Results> => {
  pinSelf(LOAD_CORE)
  const results: Results = { plan, rows: [], targets: {} }
  const known = await Promise.all(plan.targets.map(loadTarget))
  const postgres = known.some((target) => target.postgres) ? await openPostgres() : null
  try {
    for (const size of plan.sizes) await compareAt(size, plan, results, postgres, progress)
  } finally {
    await postgres?.stop()
  }
  return results
}

const compareAt = async (
  size: number,
  plan: Plan,
  results: Results,
  postgres: Postgres | null,
  progress: (text: string) => void,
): Promise<void> => {
  const load = new Load()
  const running: Running[] = []
  try {
    for (const name of plan.targets) {
      const target = await startTarget(name, String(size), postgres)
      running.push(target)
      await open(target, size, load, results, progress)
    }
    await measure(size, plan, results, load, running, progress)
    for (const { name, pids } of running)
      results.targets[name]!.peakMemory[size] = memory(pids.server, 'VmHWM')
  } finally {
    load.close()
    await Promise.all(running.map((target) => target.stop()))
  }
}

const open = async (
  running: Running,
  size: number,
  load: Load,
  { targets }: Results,
  progress: (text: string) => void,
): Promise<void> => {
  const { name, target, pids } = running
  const start = performance.now()
  const context = await prepare(running, size)
  const seconds = (performance.now() - start) / 1000
  progress(`${target.title}: ${size} items prepared in ${seconds.toFixed(1)} s`)
  targets[name] ??= { title: target.title, durability: target.durability, loadSeconds: {}, peakMemory: {} }
  targets[name].loadSeconds[size] = seconds
  await load.use(name, context, pids)
}

const measure = async (
  size: number,
  plan: Plan,
  { rows }: Results,
  load: Load,
  running: readonly Running[],
  progress: (text: string) => void,
): Promise<void> => {
  for (let round = 0; round <= plan.rounds; round++) {
    const isWarmUp = round === 0
    progress(`${size} items, ${isWarmUp ? 'warm-up' : `round ${round} of ${plan.rounds}`}`)
    const connectionCounts = isWarmUp ? plan.connections.slice(-1) : plan.connections
    for (const scenario of plan.scenarios) {
      for (const connections of connectionCounts) {
        for (const { name, target } of running) {
          if (!offers(target, scenario)) continue
          const seconds = isWarmUp ? WARM_UP_SECONDS : plan.seconds
          const figures = await load.run(name, { scenario, connections, seconds, maxRequests: MAX_REQUESTS })
          if (figures.failures > 0)
            progress(`  ${target.title}, ${scenario}: ${figures.failures} failed: ${figures.failure}`)
          if (!isWarmUp) rowOf(rows, { target: name, size, connections, scenario }).rounds.push(figures)
        }
      }
    }
    if (size <= CLEANED_SIZE) for (const { name } of running) await load.clean(name, CLEANING_CONNECTIONS)
  }
}

const offers = (target: Target, scenario: Scenario): boolean => {
  if (scenario === 'remove') return target.remove !== undefined
  const context = { url: '', headers: {}, userHeaders: {}, ids: [], hubs: [], cursor: '' }
  return target.scenarios(context)[scenario] !== undefined
}

const rowOf = (rows: Row[], wanted: Omit<Row, 'rounds'>): Row => {
  const known = rows.find(
    ({ target, size, connections, scenario }) =>
      target === wanted.target &&
      size === wanted.size &&
      connections === wanted.connections &&
      scenario === wanted.scenario,
  )
  if (known !== undefined) return known
  const row = { ...wanted, rounds: [] }
  rows.push(row)
  return row
}

/** `remove` deletes what `create` and `batch` have made, so it is only measured together with them. */
export const checkScenarios = (names: string[]): Scenario[] => {
  for (const name of names) {
    if (!(SCENARIO_NAMES as string[]).includes(name)) {
      throw new Error(`No scenario "${name}"; there are ${SCENARIO_NAMES.join(', ')}`)
    }
  }
  const wanted = new Set(names)
  if (wanted.has('remove')) wanted.add('create')
  return SCENARIO_NAMES.filter((name) => wanted.has(name))
}
