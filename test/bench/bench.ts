import { compare } from './compare.js'
import { goalsTable } from './goals.js'
import { readPlan } from './options.js'
import { progress, publish } from './publish.js'

/** `npm run bench`: ours against what the same work costs when written by hand. */
const plan = readPlan([
  'express-constant',
  'express-sqlite3',
  'entigrid-sqlite',
  'express-pg',
  'entigrid-postgres',
])
const results = await compare(plan, progress)
const pairs = [
  ['entigrid-sqlite', 'express-sqlite3'],
  ['entigrid-postgres', 'express-pg'],
] as const
const hasGoals = ['entigrid-sqlite', 'express-sqlite3'].every((name) => plan.targets.includes(name))
publish('bench', results, pairs, hasGoals ? [goalsTable(results)] : [])
