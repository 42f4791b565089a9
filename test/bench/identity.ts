import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { call } from './http.js'
import { Load } from './load/load.js'
import type { Figures } from './load/protocol.js'
import { CACHE } from './places.js'
import { prepare } from './prepare.js'
import { LOAD_CORE, pinSelf } from './processes.js'
import { progress } from './publish.js'
import { digits, machine, markdown, medians } from './report.js'
import { type Running, startTarget } from './running.js'
import type { Context } from './target.js'

/** `npm run bench:identity`: what rights cost a read, and what signing in does to the reads of others. */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    'sign-ins': { type: 'string', default: '20' },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const perSecond = Number(values['sign-ins'])

const ITEMS = 1000
const ROLES = 20
const CONNECTIONS = 8
const APP = '/demo/bench'
const PERSON = { username: 'person', password: 'a password for a person', email: 'person@example.com' }
/** That of `entigridTarget`. */
const ADMIN = { username: 'bench', password: 'a password for the bench' }

interface Measured {
  name: string
  rounds: Figures[]
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A user who may read the items by the last of twenty roles, and an administrator. */
const withPeople = async (context: Context): Promise<Context & { filtered: Record<string, string> }> => {
  const { url, headers } = context
  const post = (path: string, body: object) => call(url, 'POST', `${APP}${path}`, body, headers)
  const token = async (path: string, grant: object) =>
    (await call<{ access_token: string }>(url, 'POST', path, { grant_type: 'password', ...grant }))
      .access_token
  for (const username of [PERSON.username, 'filtered'])
    await post('/users', { ...PERSON, username, email: `${username}@example.com` })
  for (let n = 0; n < ROLES; n++) {
    await post('/roles', { name: `role${n}` })
    const own = n === ROLES - 1 ? ['get:/items/*'] : []
    const permission = [`get:/shelf${n}/*`, `post:/shelf${n}`, `put:/*/shelf${n}/**`, ...own]
    await post(`/roles/role${n}/permissions`, { permission })
    await post(`/roles/role${n}/users/${PERSON.username}`, {})
  }
  await post('/users/filtered/permissions', { permission: 'get:/items/* where score >= 0' })
  return {
    ...context,
    headers: bearer(await token('/management/token', ADMIN)),
    userHeaders: bearer(await token(`${APP}/token`, PERSON)),
    filtered: bearer(await token(`${APP}/token`, { ...PERSON, username: 'filtered' })),
  }
}

/** Signs in so many times a second until the result is called, which resolves with how many were answered, and how late. */
const signIns = (url: string) => {
  const latencies: number[] = []
  const running = new Set<Promise<void>>()
  const signIn = async (): Promise<void> => {
    const started = performance.now()
    await call(url, 'POST', `${APP}/token`, { grant_type: 'password', ...PERSON })
    latencies.push(performance.now() - started)
  }
  const timer = setInterval(() => {
    const one = signIn().finally(() => running.delete(one))
    running.add(one)
  }, 1000 / perSecond)
  return async (): Promise<number[]> => {
    clearInterval(timer)
    await Promise.all(running)
    return latencies.sort((a, b) => a - b)
  }
}

const measureRights = async (
  running: Running,
  load: Load,
  context: Awaited<ReturnType<typeof withPeople>>,
) => {
  const { name, pids } = running
  const as: [string, Record<string, string>][] = [
    ['an administrator', context.headers],
    [`a user with ${ROLES} roles`, context.userHeaders],
    ['a user whose string has a filter', context.filtered],
  ]
  const measured: Measured[] = as.map(([who]) => ({ name: who, rounds: [] }))
  for (let round = 0; round <= rounds; round++) {
    progress(`reads, ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}`)
    for (const [i, [, userHeaders]] of as.entries()) {
      await load.use(name, { ...context, userHeaders }, pids)
      const run = { scenario: 'asUser', connections: CONNECTIONS, seconds, maxRequests: 1e9 } as const
      const figures = await load.run(name, run)
      if (figures.failures > 0) throw new Error(`Reads failed: ${figures.failure}`)
      if (round > 0) measured[i]!.rounds.push(figures)
    }
  }
  return measured
}

const measureSignIns = async (running: Running, load: Load, context: Context) => {
  await load.use(running.name, context, running.pids)
  const run = {
    scenario: 'asUser',
    connections: CONNECTIONS,
    seconds: seconds * rounds,
    maxRequests: 1e9,
  } as const
  progress('reads alone')
  const alone = await load.run(running.name, run)
  progress(`reads while ${perSecond} sign in every second`)
  const stop = signIns(context.url)
  const during = await load.run(running.name, run)
  const latencies = await stop()
  return { alone, during, latencies }
}

pinSelf(LOAD_CORE)
const running = await startTarget('entigrid-sqlite', 'identity', null)
const load = new Load()
try {
  const context = await withPeople(await prepare(running, ITEMS))
  const rights = await measureRights(running, load, context)
  const { alone, during, latencies } = await measureSignIns(running, load, context)
  const [admin] = rights.map((one) => medians(one.rounds))
  const report = [
    `Measured ${new Date().toISOString().slice(0, 10)} on ${machine()}. Reads by uuid over ${CONNECTIONS} connections; the server on one core, the load on another.`,
    `Medians of ${rounds} rounds of ${seconds} s:`,
    markdown(
      ['Read as', 'Per second', 'p99, ms', 'CPU s per 1,000', 'CPU, of the administrator’s'],
      rights.map(({ name, rounds: figures }) => {
        const { rate, p99, cpu } = medians(figures)
        return [name, String(Math.round(rate)), digits(p99), digits(cpu), (cpu / admin!.cpu).toFixed(2)]
      }),
    ),
    `The same reads for ${seconds * rounds} s, alone and while people sign in ${perSecond} times a second (Argon2id, on the core of the server):`,
    markdown(
      ['', 'Reads per second', 'p50, ms', 'p99, ms', 'Sign-ins', 'p50, ms', 'p99, ms'],
      [
        ['alone', String(Math.round(alone.rate)), digits(alone.p50), digits(alone.p99), '–', '–', '–'],
        [
          'with sign-ins',
          String(Math.round(during.rate)),
          digits(during.p50),
          digits(during.p99),
          String(latencies.length),
          digits(latencies[latencies.length >> 1] ?? 0),
          digits(latencies[Math.floor(latencies.length * 0.99)] ?? 0),
        ],
      ],
    ),
    '',
  ].join('\n\n')
  mkdirSync(CACHE, { recursive: true })
  writeFileSync(join(CACHE, 'identity.md'), report)
  process.stdout.write(report)
} finally {
  load.close()
  await running.stop()
}
