import { randomBytes } from 'node:crypto'
import type { EngineOptions, JsonObject, Limits, RateLimits } from '@entigrid/core'
import { type AccountOptions, accountOptions } from './account-settings.js'
import { administer } from './administration/index.js'
import { type Arguments, helpText, parseArguments } from './arguments.js'
import { can } from './can.js'
import { ConfigError, readConfig } from './config.js'
import { type DatabasePlace, mustBeThere, placeOf, prepareFolder, secretOf } from './database-place.js'
import type { StandaloneEngine } from './engine.js'
import { findExample } from './example.js'
import { type Log, openLog } from './log.js'
import { operationOf } from './operations.js'
import { startServer } from './server.js'
import { type Config, limitsIn } from './settings.js'
import { explainFailure } from './start-failure.js'
import { welcome } from './welcome.js'

export interface EngineSettings extends AccountOptions {
  database: string
  secret: string
  compatibility: 'usergrid' | undefined
  signing: { algorithm: Config['signing'] }
  /** What links in mails begin with. */
  publicUrl: string | undefined
  allowPrivateNetworks: boolean
  limits: Limits
  rates: RateLimits
  sysadmins: EngineOptions['sysadmins']
  passwordPolicy: EngineOptions['passwordPolicy']
  log: Log
}

/** The process, as the commands see it. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>
  folder: string
  version: string
  openEngine(settings: EngineSettings): Promise<StandaloneEngine>
  /** Results, for people and programs. */
  print(text: string): void
  /** Everything else that people read. */
  tell(text: string): void
  /** Resolves when the process is asked to stop. */
  stopped: Promise<unknown>
}

interface Opened {
  config: Config
  place: DatabasePlace
  engine: StandaloneEngine
  log: Log
  flush: () => void
}

/** Exit codes of commands that come to no end, where 1 is an answer. */
const FAILED: Readonly<Record<string, number>> = { can: 2 }

/** What is run with an engine. What resolves with a number ends with it as exit code, else it is 0. */
type Command = (opened: Opened, args: Arguments, around: Surroundings) => Promise<unknown>

/** Runs one command and resolves with the exit code. What goes wrong is told on one line. */
export const run = async (argv: readonly string[], around: Surroundings): Promise<number> => {
  let config: Config | undefined
  let failed = 1
  try {
    const args = parseArguments(argv)
    if (args.command === 'help') around.print(helpText(args.operands[0]))
    else if (args.command === 'version') around.print(`${around.version}\n`)
    else {
      config = readConfig({ flags: args.flags, env: around.env, folder: around.folder })
      const operation = operationOf(args.command)
      failed = operation?.failed ?? FAILED[args.command] ?? 1
      if (operation === undefined) return await runWithEngine(args, config, around)
      return await operation.run(args, config, around)
    }
    return 0
  } catch (error) {
    around.tell(`entigrid: ${explain(error, config, around)}\n`)
    return failed
  }
}

const explain = (error: unknown, config: Config | undefined, { folder }: Surroundings): string => {
  const { host = '', port = 0, databaseUrl = '' } = config ?? {}
  const known = explainFailure(error, { host, port, database: placeOf(databaseUrl, folder).shown })
  return known ?? (error instanceof Error && error.stack !== undefined ? error.stack : String(error))
}

const runWithEngine = async (args: Arguments, config: Config, around: Surroundings): Promise<number> => {
  const place = placeOf(config.databaseUrl, around.folder)
  if (args.asked !== undefined) mustBeThere(place)
  prepareFolder(place)
  const secret = secretOf(config.secret, place)
  // Standard output has the results of the others.
  const { log, flush } = openLog(config.logLevel, args.command === 'start' ? 1 : 2)
  const { compatibility } = config
  try {
    const engine = await around.openEngine({
      database: config.databaseUrl,
      secret,
      compatibility,
      signing: { algorithm: config.signing },
      publicUrl: linkUrlOf(config),
      allowPrivateNetworks: config.allowPrivateNetworks,
      ...accountOptions(config, { folder: around.folder, log }),
      limits: limitsIn(config),
      sysadmins: config.sysadmins,
      passwordPolicy: { users: config.passwordPolicy ?? {}, admins: config.adminPasswordPolicy ?? {} },
      rates: { address: config['rates.address'], principal: config['rates.principal'] },
      log,
    })
    try {
      const opened = { config, place, engine, log, flush }
      const command = args.asked === undefined ? RUN[args.command]! : runAdministration
      const code = await command(opened, args, around)
      return typeof code === 'number' ? code : 0
    } finally {
      await engine.close()
    }
  } finally {
    flush()
  }
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1'])

/** Whoever reads mails on this very machine reaches a server on it. Others need to be told where it is. */
const linkUrlOf = ({ publicUrl, host, port }: Config): string | undefined => {
  if (publicUrl !== undefined || port === 0 || !LOOPBACK.has(host)) return publicUrl
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The port is taken first: a failure after the administrator is made would lose his password. */
const start = async ({ config, place, engine, log }: Opened, { flags }: Arguments, around: Surroundings) => {
  const { load } = flags
  const example = typeof load === 'string' ? await findExample(load) : undefined
  const { host, port, publicUrl, trustProxy } = config
  let isSetUp = false
  const served = {
    version: engine.version,
    limits: engine.limits,
    handle: (request: Parameters<StandaloneEngine['handle']>[0]) => engine.handle(request),
    ready: async () => {
      if (!isSetUp) throw new Error('The first administrator is not made yet')
      await engine.ready()
    },
    close: () => engine.close(),
  }
  const server = await startServer(served, { host, port, publicUrl, trustProxy, log })
  try {
    const bootstrapped = await engine.bootstrap({
      username: config.adminUsername ?? 'admin',
      password: config.adminPassword,
      organization: 'demo',
    })
    isSetUp = true
    around.tell(welcome({ version: engine.version, url: server.url, place, bootstrapped }))
    const { organization, application } = bootstrapped
    const progress = (message: string) => around.tell(`${message}\n`)
    log.info({ url: server.url }, 'started')
    await Promise.race([example?.load(engine, { organization, application, progress }), around.stopped])
    await around.stopped
    log.info({}, 'stopping')
  } finally {
    await server.close()
  }
  log.info({}, 'stopped')
}

const migrate = async ({ place }: Opened, _: Arguments, { print }: Surroundings) =>
  print(`The schema of ${place.shown} is up to date\n`)

const createAdmin = async (
  { config, engine }: Opened,
  { operands, flags }: Arguments,
  { print }: Surroundings,
) => {
  const [username, email] = operands as [string, string]
  const { organization } = flags
  const password = config.adminPassword ?? randomBytes(12).toString('base64url')
  const users =
    typeof organization === 'string'
      ? `/management/orgs/${encodeURIComponent(organization)}/users`
      : '/management/users'
  const reply = await engine.handle({
    method: 'POST',
    path: users,
    search: '',
    body: { username, email, password, name: username },
    baseUrl: config.publicUrl ?? '',
    principal: { kind: 'system', reason: 'entigrid create-admin' },
  })
  if (reply.status >= 400)
    throw new ConfigError(String((JSON.parse(reply.body) as JsonObject)['error_description']))
  print(`Made the administrator ${username}\n`)
  if (config.adminPassword === undefined) print(`Password: ${password}\n`)
}

const runAdministration: Command = async ({ engine }, { asked, operands, flags }, around) => {
  const { print, tell, env } = around
  // Not that of the settings, which is the first administrator's and may be there for a server.
  const password = env['ENTIGRID_PASSWORD'] || undefined
  await administer({ ...asked!, operands, flags }, { engine, password, print, tell })
}

const rotateKeys = async ({ config, engine }: Opened, { flags }: Arguments, { print }: Surroundings) => {
  if (config.signing === 'HS256' || config.compatibility !== undefined)
    throw new ConfigError(
      'there is no key to rotate: tokens are signed with one where the setting signing is ES256 or RS256',
    )
  const forgetting = flags['forget'] === true
  const kid = await engine.rotateKeys({ forgetting })
  print(`Access tokens are signed with the key ${kid} from now on\n`)
  print(
    forgetting
      ? 'Tokens by older keys are refused: everybody signs in anew\n'
      : 'Tokens by older keys stay good until they are over\n',
  )
}

const RUN: Record<string, Command> = {
  start,
  migrate,
  'create-admin': createAdmin,
  can,
  'rotate-keys': rotateKeys,
}
