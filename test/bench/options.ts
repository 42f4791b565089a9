import { parseArgs } from 'node:util'
import { checkScenarios, type Plan } from './compare.js'
import { SCENARIO_NAMES } from './target.js'

const HELP = `Options, each with a value list separated by commas where that makes sense:
  --only byUuid,create   scenarios
  --targets a,b          names of files in test/bench/targets
  --size 1000,100000     numbers of stored items
  --connections 1,32
  --rounds 3
  --seconds 0.7          of one round of one scenario
  --quick                1,000 items and one short round
`
const QUICK = { sizes: [1000], rounds: 1, seconds: 0.3 }
const FULL = { sizes: [1000, 100_000], rounds: 3, seconds: 0.7 }

/** What the command line asks for. Prints the help and ends for `--help`. */
export const readPlan = (targets: string[]): Plan => {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      targets: { type: 'string' },
      size: { type: 'string' },
      connections: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    process.exit(0)
  }
  const defaults = values.quick ? QUICK : FULL
  return {
    targets: values.targets?.split(',') ?? targets,
    scenarios: checkScenarios(values.only?.split(',') ?? SCENARIO_NAMES),
    sizes: values.size === undefined ? defaults.sizes : values.size.split(',').map(whole),
    connections: values.connections === undefined ? [1, 32] : values.connections.split(',').map(whole),
    rounds: values.rounds === undefined ? defaults.rounds : whole(values.rounds),
    seconds: values.seconds === undefined ? defaults.seconds : Number(values.seconds),
  }
}

const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`"${text}" is no whole number above 0`)
  return value
}
