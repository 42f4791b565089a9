import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import type { Facts, Results } from './compare.js'
import type { Figures } from './load/protocol.js'
import { SCENARIOS, type Scenario } from './target.js'

/** Medians over the rounds of one scenario. */
export type Medians = Pick<Figures, 'rate' | 'p50' | 'p99' | 'cpu' | 'databaseCpu' | 'memory'>

export const medians = (rounds: readonly Figures[]): Medians => {
  const of = (value: (figures: Figures) => number) => median(rounds.map(value))
  return {
    rate: of(({ rate }) => rate),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    cpu: of(({ cpu }) => cpu),
    ...(rounds[0]?.databaseCpu !== undefined && { databaseCpu: of(({ databaseCpu }) => databaseCpu ?? 0) }),
    memory: of(({ memory }) => memory),
  }
}

const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The figures of one target, or `null` where it was not measured or where replies failed. */
export const find = (
  { rows }: Results,
  target: string,
  scenario: Scenario,
  size: number,
  connections: number,
): Medians | null => {
  const row = rows.find(
    (one) =>
      one.target === target &&
      one.scenario === scenario &&
      one.size === size &&
      one.connections === connections,
  )
  if (row === undefined || row.rounds.some(({ failures }) => failures > 0)) return null
  return medians(row.rounds)
}

/** Which ratios the table shows. */
export type Pair = readonly [ours: string, other: string]

/** One table: requests per second of every target, and for each pair how many times as many ours answers. */
export const mainTable = (results: Results, pairs: readonly Pair[]): string => {
  const { targets } = results.plan
  const shown = pairs.filter((pair) => pair.every((name) => targets.includes(name)))
  const title = (name: string) => results.targets[name]!.title
  const head = [
    'Items',
    'Conns',
    'Scenario',
    ...targets.map(title),
    ...shown.map(([ours, other]) => `${title(ours)} ÷ ${title(other)}`),
  ]
  return markdown(
    head,
    places(results).map(({ size, connections, scenario }) => {
      const of = (name: string) => find(results, name, scenario, size, connections)
      return [
        amount(size),
        String(connections),
        SCENARIOS[scenario],
        ...targets.map((name) => rounded(of(name)?.rate)),
        ...shown.map(([ours, other]) => ratios(of(ours), of(other))),
      ]
    }),
  )
}

/** Latency and CPU of every target at one number of connections; CPU of a database server behind a plus sign. */
export const detailTable = (results: Results, size: number, connections: number): string => {
  const { targets } = results.plan
  const head = ['Scenario', ...targets.map((name) => results.targets[name]!.title)]
  const rows = places(results)
    .filter((place) => place.size === size && place.connections === connections)
    .map(({ scenario }) => [
      SCENARIOS[scenario],
      ...targets.map((name) => detail(find(results, name, scenario, size, connections))),
    ])
  return markdown(head, rows)
}

const detail = (figures: Medians | null): string => {
  if (figures === null) return '–'
  const { p50, p99, cpu, databaseCpu } = figures
  const database = databaseCpu === undefined ? '' : ` + ${digits(databaseCpu)}`
  return `${digits(p50)} / ${digits(p99)} · ${digits(cpu)}${database}`
}

/** Durability, time to load and memory. */
export const targetsTable = ({ plan, targets }: Results): string =>
  markdown(
    ['Target', 'Durability', 'Seconds to load', 'Peak memory, MiB'],
    plan.targets.map((name) => {
      const { title, durability, loadSeconds, peakMemory } = targets[name] as Facts
      const bySize = (values: Record<number, number>) =>
        plan.sizes.map((size) => digits(values[size] ?? 0)).join(' / ')
      return [title, durability, bySize(loadSeconds), bySize(peakMemory)]
    }),
  )

export const machine = (): string => {
  const { model } = cpus()[0] ?? { model: 'unknown processor' }
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${model.trim()}, ${readCores()} cores, ${memory} GiB, Linux ${kernel()}, Node.js ${process.versions.node}`
}

/** All of them, also when this process may use one only. */
const readCores = (): number => cpus().length || availableParallelism()
const kernel = (): string => readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()

/** What was measured, in the order of the table. */
const places = ({ plan, rows }: Results) =>
  plan.sizes.flatMap((size) =>
    plan.connections.flatMap((connections) =>
      plan.scenarios
        .filter((scenario) => rows.some((row) => row.scenario === scenario && row.size === size))
        .map((scenario) => ({ size, connections, scenario })),
    ),
  )

export const markdown = (head: string[], rows: string[][]): string => {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

export const amount = (value: number): string => value.toLocaleString('en')
const rounded = (value: number | undefined): string => (value === undefined ? '–' : amount(Math.round(value)))
/** Per second and, behind it, per second of CPU time. The latter hardly suffers from what else a machine does. */
const ratios = (ours: Medians | null, other: Medians | null): string =>
  ours === null || other === null
    ? '–'
    : `${(ours.rate / other.rate).toFixed(2)} · ${(totalCpu(other) / totalCpu(ours)).toFixed(2)}`

/** CPU seconds per 1,000 requests, with those of a database server. */
export const totalCpu = ({ cpu, databaseCpu = 0 }: Medians): number => cpu + databaseCpu
/** Three significant digits. */
export const digits = (value: number): string =>
  value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(value >= 10 ? 3 : 2)))
