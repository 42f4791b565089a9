import type { Results } from './compare.js'
import { amount, find, markdown } from './report.js'
import { SCENARIOS, type Scenario } from './target.js'

const OURS = 'entigrid-sqlite'
const FLOOR = 'express-sqlite3'
const CONNECTIONS = 32
/** Least share of the throughput of the floor on `sqlite3` that we want to reach. */
const SHARES: Partial<Record<Scenario, number>> = {
  byUuid: 0.7,
  byName: 0.7,
  equalitySorted: 0.55,
  range: 0.55,
  firstPage: 0.6,
  create: 0.8,
}
const MOST_OF_DEEP_PAGE = 1.3
const MOST_GROWTH = 1.5

/** How the standalone server on SQLite stands against what it is meant to reach. */
export const goalsTable = (results: Results): string => {
  const { sizes } = results.plan
  const rate = (target: string, scenario: Scenario, size: number) =>
    find(results, target, scenario, size, CONNECTIONS)?.rate
  const shares = sizes.flatMap((size) =>
    Object.entries(SHARES).map(([name, least]) => {
      const scenario = name as Scenario
      const share = quotient(rate(OURS, scenario, size), rate(FLOOR, scenario, size))
      return row(
        `${SCENARIOS[scenario]}, ${amount(size)}: share of the floor`,
        `≥ ${least}`,
        share,
        (value) => value >= least,
      )
    }),
  )
  const pages = sizes.map((size) => {
    const cost = quotient(rate(OURS, 'firstPage', size), rate(OURS, 'deepPage', size))
    return row(
      `deep page ÷ first page, ${amount(size)}: cost`,
      `≤ ${MOST_OF_DEEP_PAGE}`,
      cost,
      (value) => value <= MOST_OF_DEEP_PAGE,
    )
  })
  return markdown(
    ['Goal on SQLite, 32 connections', 'Wanted', 'Measured', ''],
    [...shares, ...pages, ...growth(results)],
  )
}

const growth = (results: Results): string[][] => {
  const { sizes, scenarios } = results.plan
  const [small, large] = [Math.min(...sizes), Math.max(...sizes)]
  if (small === large) return []
  return scenarios
    .filter((scenario) => find(results, OURS, scenario, small, CONNECTIONS) !== null)
    .map((scenario) => {
      // CPU time, for the sizes are not measured in turns and the machine may be slower at one of them.
      const cpuAt = (size: number) => find(results, OURS, scenario, size, CONNECTIONS)?.cpu
      const cost = quotient(cpuAt(large), cpuAt(small))
      const name = `${SCENARIOS[scenario]}, ${amount(large)} ÷ ${amount(small)}: CPU time`
      return row(name, `≤ ${MOST_GROWTH}`, cost, (value) => value <= MOST_GROWTH)
    })
}

const quotient = (one: number | undefined, other: number | undefined): number | null =>
  one === undefined || other === undefined ? null : one / other

const row = (
  name: string,
  wanted: string,
  value: number | null,
  isMet: (value: number) => boolean,
): string[] =>
  value === null
    ? [name, wanted, '–', '']
    : [name, wanted, value.toFixed(2), isMet(value) ? 'met' : '**missed**']
