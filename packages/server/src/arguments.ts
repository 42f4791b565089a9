import { type ParseArgsConfig, parseArgs } from 'node:util'
import { isSubject, type Subject, subcommandsOf, subjectHelp, usageOf } from './administration/index.js'
import { ConfigError } from './config.js'
import { settingEntries, settingsHelp } from './settings.js'

export const COMMANDS = [
  'start',
  'migrate',
  'create-admin',
  'can',
  'rotate-keys',
  'org',
  'app',
  'user',
  'role',
  'backup',
  'restore',
  'doctor',
  'version',
  'help',
] as const
export type Command = (typeof COMMANDS)[number]

/** Commands that are one word; the others go on with what is to be done, as in `org list`. */
type Plain = Exclude<Command, Subject>

export interface Arguments {
  command: Command
  /** Of commands on a subject: what is to be done, such as `list`. */
  asked?: { subject: Subject; name: string }
  /** What follows. */
  operands: string[]
  /** By name, without dashes. */
  flags: Record<string, string | boolean | undefined>
}

/** Flags that are no settings, by the commands that have them; all have `config` and `help`. */
const OWN_FLAGS: Record<Plain, Record<string, 'string' | 'boolean'>> = {
  start: { load: 'string' },
  migrate: {},
  'create-admin': { organization: 'string' },
  can: { app: 'string', json: 'boolean' },
  'rotate-keys': { forget: 'boolean' },
  backup: {},
  restore: { force: 'boolean' },
  doctor: { repair: 'boolean' },
  version: {},
  help: {},
}

const OPERANDS: Record<Plain, readonly [number, number]> = {
  start: [0, 0],
  migrate: [0, 0],
  'create-admin': [2, 2],
  can: [3, 3],
  'rotate-keys': [0, 0],
  backup: [1, 1],
  restore: [1, 1],
  doctor: [0, 0],
  version: [0, 0],
  help: [0, 1],
}

interface Syntax {
  usage: string
  operands: readonly [number, number]
  flags: Readonly<Record<string, 'string' | 'boolean'>>
}

/** @throws {ConfigError} if there is no such command or flag */
export const parseArguments = (argv: readonly string[]): Arguments => {
  const [word = 'help', ...rest] = argv
  const command = commandOf(word)
  if (!isSubject(command)) return parseRest({ command }, syntaxOf(command), rest)
  const [name = '--help', ...others] = rest
  if (['--help', '-h', 'help'].includes(name)) return helpOn(command)
  if (!Object.hasOwn(subcommandsOf(command), name))
    throw new ConfigError(
      `There is no command ${JSON.stringify(`${command} ${name}`)}; try entigrid help ${command}`,
    )
  const { operands, flags = {} } = subcommandsOf(command)[name]!
  const syntax = {
    usage: usageOf(command, name),
    operands,
    flags: { ...flags, json: 'boolean' } as const,
  }
  return parseRest({ command, asked: { subject: command, name } }, syntax, others)
}

const parseRest = (
  called: Pick<Arguments, 'command' | 'asked'>,
  { usage, operands: [least, most], flags }: Syntax,
  args: string[],
): Arguments => {
  const options = Object.fromEntries<{ type: 'string' | 'boolean' }>([
    ...settingEntries.map(
      ([, { flag, hint }]) => [flag, { type: hint === undefined ? 'boolean' : 'string' }] as const,
    ),
    ...Object.entries(flags).map(([flag, type]) => [flag, { type }] as const),
    ['config', { type: 'string' }],
    ['help', { type: 'boolean' }],
  ])
  const { values, positionals } = parse({ args, options, allowPositionals: true, strict: true })
  if (values['help'] === true) return helpOn(called.asked?.subject)
  if (positionals.length < least || positionals.length > most) throw new ConfigError(`Usage: ${usage}`)
  return { ...called, operands: positionals, flags: values as Arguments['flags'] }
}

const syntaxOf = (command: Plain): Syntax => ({
  usage: USAGE[command],
  operands: OPERANDS[command],
  flags: OWN_FLAGS[command],
})

const helpOn = (subject: Subject | undefined): Arguments => ({
  command: 'help',
  operands: subject === undefined ? [] : [subject],
  flags: {},
})

const commandOf = (word: string): Command => {
  const spelled = { '--help': 'help', '-h': 'help', '--version': 'version', '-v': 'version' }[word] ?? word
  const command = COMMANDS.find((name) => name === spelled)
  if (command === undefined)
    throw new ConfigError(`There is no command ${JSON.stringify(word)}; try entigrid help`)
  return command
}

const parse = (config: ParseArgsConfig) => {
  try {
    return parseArgs(config)
  } catch (error) {
    // Node's message goes on with advice about operands that begin with a dash.
    throw new ConfigError(`${(error as Error).message.split(/\. (?=To )/)[0]}; see entigrid help`)
  }
}

const USAGE: Record<Plain, string> = {
  start: 'entigrid start [--load EXAMPLE] [SETTINGS]',
  migrate: 'entigrid migrate [SETTINGS]',
  'create-admin': 'entigrid create-admin USERNAME EMAIL [--organization NAME] [SETTINGS]',
  can: 'entigrid can USER METHOD PATH --app ORGANIZATION/APPLICATION [--json] [SETTINGS]',
  'rotate-keys': 'entigrid rotate-keys [--forget] [SETTINGS]',
  backup: 'entigrid backup FILE [SETTINGS]',
  restore: 'entigrid restore FILE [--force] [SETTINGS]',
  doctor: 'entigrid doctor [--repair] [SETTINGS]',
  version: 'entigrid version',
  help: 'entigrid help [org | app | user | role]',
}

/** @throws {ConfigError} for a topic that there is none of */
export const helpText = (topic?: string): string => {
  if (topic === undefined) return overview()
  if (isSubject(topic)) return subjectHelp(topic)
  throw new ConfigError(`There is no help on ${JSON.stringify(topic)}; see entigrid help`)
}

const overview = (): string => `Usage:
  ${USAGE.start}
      Serves HTTP. The first start makes the database, an administrator and the organization demo.
      --load world-cities fills demo/sandbox with an example.
  ${USAGE.migrate}
      Brings the schema of the database up to date.
  ${USAGE['create-admin']}
      Makes an administrator, a member of the organization if one is named. The password is that of
      ENTIGRID_ADMIN_PASSWORD, or a generated one that is printed.
  ${USAGE.can}
      Tells whether a user of an application, or guest, may do something, and which permission string decides.
      Ends with 0 if he may, 1 if not, 2 if it cannot tell.
  ${USAGE['rotate-keys']}
      Makes a new key that signs access tokens, where the setting signing is ES256 or RS256. Tokens by older keys stay
      good until they are over; --forget refuses them at once.
  entigrid org | app | user | role COMMAND
      Looks after organizations, applications, users and administrators, and roles with their permission strings,
      with all rights. entigrid help org, and so on, tells what there is to be done.
  ${USAGE.backup}
      Copies a SQLite database into a new file, also while a server runs on it.
  ${USAGE.restore}
      Puts a backup in the place of a SQLite database that no server runs on. With --force there may be one
      already; it is kept under another name.
  ${USAGE.doctor}
      Checks whether everything in the database agrees, and ends with 0 if so, 1 if not, 2 if it cannot tell.
      --repair mends what follows from the entities.
  ${USAGE.version}
  ${USAGE.help}

Settings are flags, environment variables, or keys of a JSON file: entigrid.config.json in the working folder,
or the one named by --config. A flag wins over the environment, and the environment over the file.

${settingsHelp()}
`
