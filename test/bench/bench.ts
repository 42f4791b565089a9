import { compare } from './compare.js'
import { goalsTable } from './goals.js'
import { readPlan } from './options.js'
import { BEFORE } from './places.js'
import { progress, publish } from './publish.js'
import type { Pair } from './report.js'

/** `npm run bench`: ours against what the same work costs when written by hand. */
const plan = readPlan([
  'express-constant',
  'express-sqlite3',
  'entigrid-sqlite',
  'express-pg',
  'entigrid-postgres',
  ...(BEFORE === undefined ? [] : ['before-sqlite', 'before-postgres']),
])
const results = await compare(plan, progress)
const pairs: Pair[] = [
  ['entigrid-sqlite', 'express-sqlite3'],
  ['entigrid-postgres', 'express-pg'],
  ['entigrid-sqlite', 'before-sqlite'],
  ['entigrid-postgres', 'before-postgres'],
]
const hasGoals = ['entigrid-sqlite', 'express-sqlite3'].every((name) => plan.targets.includes(name))
publish('bench', results, pairs, hasGoals ? [goalsTable(results)] : [])
