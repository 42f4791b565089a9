import { parseArgs } from 'node:util'
import { Kills } from './kills.js'
import { DATABASES, type DatabaseName, openTarget } from './target.js'

const HELP = `Kills servers while clients write to them, and looks whether anything that was acknowledged is lost.
  --kills 60           in all
  --database sqlite    or postgres; both by default, half of the kills each
  --seed 1             decides what clients do and when a kill comes; by default another each time
`
/** Problems that are shown in full. */
const SHOWN = 20

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    database: { type: 'string' },
    help: { type: 'boolean' },
  },
})
const print = (line: string): void => void process.stdout.write(`${line}\n`)

const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`"${text}" is no whole number above 0`)
  return value
}

const databasesOf = (named: string | undefined): readonly DatabaseName[] => {
  if (named === undefined) return DATABASES
  const database = DATABASES.find((name) => name === named)
  if (database === undefined) throw new Error(`"${named}" is none of ${DATABASES.join(', ')}`)
  return [database]
}

/** Returns the number of problems. */
const crash = async (database: DatabaseName, kills: number, seed: number): Promise<number> => {
  await using target = await openTarget(database)
  const run = new Kills(target, seed)
  for (let kill = 1; kill <= kills; kill++) {
    const { victim, acknowledged, found, stored, lost, problems } = await run.next()
    print(
      `${database}: kill ${kill} of ${kills} (${victim}), ${acknowledged} requests acknowledged so far; ` +
        `${found} things found as they must be; unanswered: ${stored} stored, ${lost} not; ` +
        `${problems.length} problems`,
    )
    if (problems.length === 0) continue
    for (const problem of problems.slice(0, SHOWN)) print(`  ${problem}`)
    print(`Something is wrong after kill ${kill} on ${database}, with --seed ${seed}`)
    return problems.length
  }
  return 0
}

if (values.help === true) print(HELP)
else {
  const databases = databasesOf(values.database)
  const kills = whole(values.kills)
  const seed = whole(values.seed)
  const start = performance.now()
  print(`${kills} kills, --seed ${seed}`)
  let problems = 0
  for (const [index, database] of databases.entries())
    problems += await crash(database, Math.ceil((kills - index) / databases.length), seed)
  const seconds = Math.round((performance.now() - start) / 1000)
  print(problems === 0 ? `Nothing was lost in ${kills} kills (${seconds} s)` : `${problems} problems`)
  process.exitCode = problems === 0 ? 0 : 1
}
