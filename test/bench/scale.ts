import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Load } from './load/load.js'
import type { Figures } from './load/protocol.js'
import { CACHE } from './places.js'
import { connectHubs, deepCursor, HUBS, loadItems, verify } from './prepare.js'
import { LOAD_CORE, memory, pinSelf } from './processes.js'
import { progress } from './publish.js'
import { amount, digits, machine, markdown, medians } from './report.js'
import { type Running, startTarget } from './running.js'
import { type Context, SCENARIO_NAMES, SCENARIOS, type Scenario } from './target.js'

/** `npm run bench:scale`: how cost grows with what is stored, up to a million items on SQLite. */

const { values } = parseArgs({
  options: {
    targets: { type: 'string', default: 'entigrid-sqlite,express-sqlite3' },
    size: { type: 'string', default: '10000,100000,1000000' },
    connections: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
  },
})
const sizes = values.size.split(',').map(Number)
const connections = Number(values.connections)
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const MEASURED = SCENARIO_NAMES.filter((name) => name !== 'constant')
const MAX_REQUESTS = 50_000
const WARM_UP_SECONDS = 0.5

/** What was found when so many items were stored. */
interface Step {
  size: number
  /** Items per second since the step before, loaded in requests of 500 one after another. */
  loadRate: number
  /** On disk for each stored item, indexes included, without the write-ahead log. */
  bytes: number
  /** MiB at the end of the step. */
  memory: number
  figures: Partial<Record<Scenario, Figures[]>>
}

const measure = async (running: Running): Promise<Step[]> => {
  const load = new Load()
  const steps: Step[] = []
  let context = await running.target.setUp(running.url)
  try {
    for (const size of sizes) {
      const step = await grow(running, context, size)
      context = step.context
      await load.use(running.name, context, running.pids)
      const figures = await measureAll(load, running, context)
      steps.push({ size, ...step.found, memory: memory(running.pids.server, 'VmRSS'), figures })
    }
  } finally {
    load.close()
  }
  return steps
}

const grow = async (running: Running, before: Context, size: number) => {
  const start = performance.now()
  const added = await loadItems(running, before, before.ids.length, size)
  const loadRate = added.length / ((performance.now() - start) / 1000)
  const ids = before.ids.concat(added)
  const context: Context = { ...before, ids, hubs: ids.slice(0, HUBS) }
  if (before.ids.length === 0) await connectHubs(running, context)
  context.cursor = await deepCursor(running, context)
  await verify(running, context)
  const bytes = bytesIn(running.place.folder) / size
  progress(
    `${running.target.title}: ${amount(size)} items, ${Math.round(loadRate)}/s, ${Math.round(bytes)} bytes each`,
  )
  return { context, found: { loadRate, bytes } }
}

const measureAll = async (
  load: Load,
  { name, target }: Running,
  context: Context,
): Promise<Step['figures']> => {
  const figures: Step['figures'] = {}
  const offered = target.scenarios(context)
  for (let round = 0; round <= rounds; round++) {
    for (const scenario of MEASURED) {
      if (offered[scenario] === undefined && scenario !== 'remove') continue
      const time = round === 0 ? WARM_UP_SECONDS : seconds
      const found = await load.run(name, { scenario, connections, seconds: time, maxRequests: MAX_REQUESTS })
      if (found.failures > 0) throw new Error(`${target.title}, ${scenario}: ${found.failure}`)
      if (round === 0) continue
      figures[scenario] ??= []
      figures[scenario].push(found)
    }
    await load.clean(name, connections)
  }
  return figures
}

const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/(-wal|-shm|\.log)$/.test(entry.name))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

const stepsTable = (steps: readonly Step[]): string =>
  markdown(
    ['Items', 'Loaded per second', 'Bytes per item', 'Memory, MiB'],
    steps.map(({ size, loadRate, bytes, memory }) => [
      amount(size),
      amount(Math.round(loadRate)),
      amount(Math.round(bytes)),
      amount(Math.round(memory)),
    ]),
  )

/** Requests per second and the p99 in milliseconds at each size, and how much dearer a request is at the last than at the first. */
const growthTable = (steps: readonly Step[]): string =>
  markdown(
    ['Scenario', ...steps.map(({ size }) => amount(size)), 'Growth of cost'],
    MEASURED.filter((scenario) => steps[0]?.figures[scenario] !== undefined).map((scenario) => {
      const found = steps.map(({ figures }) => medians(figures[scenario]!))
      const growth = found[0]!.rate / found.at(-1)!.rate
      return [
        SCENARIOS[scenario],
        ...found.map(({ rate, p99 }) => `${amount(Math.round(rate))}/s, ${digits(p99)} ms`),
        growth.toFixed(2),
      ]
    }),
  )

pinSelf(LOAD_CORE)
const report = [`${machine()}. ${connections} connections; medians of ${rounds} rounds of ${seconds} s.`]
const all: Record<string, Step[]> = {}
for (const name of values.targets.split(',')) {
  const running = await startTarget(name, 'scale', null)
  try {
    const steps = await measure(running)
    all[name] = steps
    report.push(`${running.target.title}:`, stepsTable(steps), growthTable(steps))
  } finally {
    await running.stop()
  }
}
mkdirSync(CACHE, { recursive: true })
writeFileSync(join(CACHE, 'scale.md'), report.join('\n\n') + '\n')
writeFileSync(join(CACHE, 'scale.json'), JSON.stringify({ machine: machine(), values, all }, null, 1))
process.stdout.write(report.join('\n\n') + '\n')
