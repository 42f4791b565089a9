#!/usr/bin/env node
import { openEngine } from '@entigrid/core'
import { run } from './commands.js'
import { VERSION } from './version.js'

// Heard once: a second signal has its usual effect, and ends the process at once.
const stopped = new Promise((resolve) => {
  process.once('SIGTERM', resolve)
  process.once('SIGINT', resolve)
})

const code = await run(process.argv.slice(2), {
  env: process.env,
  folder: process.cwd(),
  version: VERSION,
  openEngine,
  print: (text) => process.stdout.write(text),
  tell: (text) => process.stderr.write(text),
  stopped,
})
process.exit(code)
