import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ConfigError } from './config.js'
import { settingEntries, settingsHelp } from './settings.js'

export const COMMANDS = [
  'start',
  'migrate',
  'create-admin',
  'can',
  'backup',
  'restore',
  'doctor',
  'version',
  'help',
] as const
export type Command = (typeof COMMANDS)[number]

export interface Arguments {
  command: Command
  /** What follows the command. */
  operands: string[]
  /** By name, without dashes. */
  flags: Record<string, string | boolean | undefined>
}

/** Flags that are no settings, by the commands that have them; all have `config` and `help`. */
const OWN_FLAGS: Record<Command, Record<string, 'string' | 'boolean'>> = {
  start: { load: 'string' },
  migrate: {},
  'create-admin': { organization: 'string' },
  can: { app: 'string', json: 'boolean' },
  backup: {},
  restore: { force: 'boolean' },
  doctor: { repair: 'boolean' },
  version: {},
  help: {},
}

const OPERANDS: Record<Command, number> = {
  start: 0,
  migrate: 0,
  'create-admin': 2,
  can: 3,
  backup: 1,
  restore: 1,
  doctor: 0,
  version: 0,
  help: 0,
}

/** @throws {ConfigError} if there is no such command or flag */
export const parseArguments = (argv: readonly string[]): Arguments => {
  const [word = 'help', ...rest] = argv
  const command = commandOf(word)
  const options = Object.fromEntries<{ type: 'string' | 'boolean' }>([
    ...settingEntries.map(
      ([, { flag, hint }]) => [flag, { type: hint === undefined ? 'boolean' : 'string' }] as const,
    ),
    ...Object.entries(OWN_FLAGS[command]).map(([flag, type]) => [flag, { type }] as const),
    ['config', { type: 'string' }],
    ['help', { type: 'boolean' }],
  ])
  const { values, positionals } = parse({ args: rest, options, allowPositionals: true, strict: true })
  if (values['help'] === true) return { command: 'help', operands: [], flags: {} }
  if (positionals.length !== OPERANDS[command]) throw new ConfigError(`Usage: ${USAGE[command]}`)
  return { command, operands: positionals, flags: values as Arguments['flags'] }
}

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

const USAGE: Record<Command, string> = {
  start: 'entigrid start [--load EXAMPLE] [SETTINGS]',
  migrate: 'entigrid migrate [SETTINGS]',
  'create-admin': 'entigrid create-admin USERNAME EMAIL [--organization NAME] [SETTINGS]',
  can: 'entigrid can USER METHOD PATH --app ORGANIZATION/APPLICATION [--json] [SETTINGS]',
  backup: 'entigrid backup FILE [SETTINGS]',
  restore: 'entigrid restore FILE [--force] [SETTINGS]',
  doctor: 'entigrid doctor [--repair] [SETTINGS]',
  version: 'entigrid version',
  help: 'entigrid help',
}

export const helpText = (): string => `Usage:
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
