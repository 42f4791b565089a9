import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from './compare.js'
import { CACHE } from './places.js'
import { amount, detailTable, machine, mainTable, type Pair, targetsTable } from './report.js'

/** The report in Markdown: on standard output, and with the figures of every round as JSON in `.cache/bench`. */
export const publish = (
  name: string,
  results: Results,
  pairs: readonly Pair[],
  more: string[] = [],
): void => {
  const report = [
    `Measured ${new Date().toISOString().slice(0, 10)} on ${machine()}. ${conditions(results)}`,
    'Requests per second; ratios of requests per second · of requests per CPU second (database server included):',
    mainTable(results, pairs),
    ...more,
    ...details(results),
    targetsTable(results),
    '',
  ].join('\n\n')
  mkdirSync(CACHE, { recursive: true })
  writeFileSync(join(CACHE, `${name}.md`), report)
  writeFileSync(join(CACHE, `${name}.json`), JSON.stringify({ machine: machine(), ...results }, null, 1))
  process.stdout.write(report)
  progress(`Kept in ${join(CACHE, `${name}.md`)} and .json`)
}

const conditions = ({ plan: { rounds, seconds } }: Results): string =>
  `Medians of ${rounds} rounds of ${seconds} s; servers on one core, the load on another.`

const details = (results: Results): string[] =>
  results.plan.sizes.flatMap((size) =>
    results.plan.connections.flatMap((connections) => [
      `${amount(size)} items, ${connections} connections: milliseconds p50 / p99 · CPU seconds per 1,000 requests` +
        ' (+ those of the database server):',
      detailTable(results, size, connections),
    ]),
  )

export const progress = (text: string): void => {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${text}\n`)
}
