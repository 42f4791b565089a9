import {
  DEFAULT_RATES,
  LIMIT_NAMES,
  LIMITS,
  type LimitName,
  type Limits,
  limitProblem,
  type PasswordPolicy,
  type SigningAlgorithm,
} from '@entigrid/core'
import { ACCOUNT_SETTINGS, type AccountSettings } from './account-settings.js'
import { readPasswordPolicy } from './password-policy.js'
import { dashed, mustBe, oneOf, type Setting, text, wholeNumber, yesOrNo } from './setting.js'

/** What the standalone server can be told, after checking. */
export interface Config extends AccountSettings, LimitSettings {
  'rates.address': number
  'rates.principal': number
  port: number
  host: string
  databaseUrl: string
  adminUsername: string | undefined
  adminPassword: string | undefined
  secret: string | undefined
  publicUrl: string | undefined
  compatibility: 'usergrid' | undefined
  signing: SigningAlgorithm
  sysadmins: 'anywhere' | 'local'
  passwordPolicy: Partial<PasswordPolicy> | undefined
  adminPasswordPolicy: Partial<PasswordPolicy> | undefined
  logLevel: string
  trustProxy: boolean
  allowPrivateNetworks: boolean
}

/** A limit is a setting by its name, as in `limits.body`. */
type LimitSettings = { [Name in LimitName as `limits.${Name}`]: number }

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
const MIN_SECRET = 32

const port = (value: string): number =>
  /^\d{1,5}$/.test(value) && Number(value) <= 65_535
    ? Number(value)
    : mustBe('a whole number from 0 to 65535')

const database = (value: string): string =>
  /^(?:sqlite:.|postgres(?:ql)?:\/\/.)/.test(value)
    ? value
    : mustBe('sqlite:PATH, sqlite::memory: or postgres://USER:PASSWORD@HOST/DATABASE')

const secret = (value: string): string =>
  value.length >= MIN_SECRET ? value : mustBe(`at least ${MIN_SECRET} characters of random text`)

const httpUrl = (value: string): string =>
  /^https?:\/\/[^\s?#]+$/.test(value) ? value : mustBe('an http or https URL without a query')

const limitSetting = (name: LimitName): Setting<number> => {
  const { fallback, meaning, unit } = LIMITS[name]
  return {
    env: `ENTIGRID_LIMIT_${dashed(name).replaceAll('-', '_').toUpperCase()}`,
    flag: `limit-${dashed(name)}`,
    hint: 'NUMBER',
    fallback,
    help: `${meaning} (${unit})`,
    read: (value) => {
      const limit = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
      const problem = limitProblem(name, limit)
      return problem === null ? limit : mustBe(problem)
    },
  }
}

const LIMIT_SETTINGS = Object.fromEntries(
  LIMIT_NAMES.map((name) => [`limits.${name}`, limitSetting(name)]),
) as { readonly [Key in keyof LimitSettings]: Setting<number> }

/** The limits that a configuration sets. */
export const limitsIn = (config: Config): Limits =>
  Object.fromEntries(LIMIT_NAMES.map((name) => [name, config[`limits.${name}`]])) as Limits

/** Every setting, in the order of the help. The keys are those of the configuration file. */
export const SETTINGS: { readonly [Key in keyof Config]: Setting<Config[Key]> } = {
  port: {
    env: 'PORT',
    flag: 'port',
    hint: 'NUMBER',
    fallback: 8080,
    help: 'Port to listen on; 0 takes any free one',
    read: port,
  },
  host: {
    env: 'HOST',
    flag: 'host',
    hint: 'ADDRESS',
    fallback: '127.0.0.1',
    help: 'Address to listen on; 0.0.0.0 lets other machines in',
    read: text,
  },
  databaseUrl: {
    env: 'ENTIGRID_DATABASE_URL',
    flag: 'database-url',
    hint: 'URL',
    fallback: 'sqlite:./data/entigrid.db',
    help: 'sqlite:PATH, sqlite::memory: or postgres://USER:PASSWORD@HOST/DATABASE',
    hidden: true,
    read: database,
  },
  adminUsername: {
    env: 'ENTIGRID_ADMIN_USERNAME',
    flag: 'admin-username',
    hint: 'NAME',
    fallback: undefined,
    help: 'Name of the system administrator',
    read: text,
  },
  adminPassword: {
    env: 'ENTIGRID_ADMIN_PASSWORD',
    flag: 'admin-password',
    hint: 'TEXT',
    fallback: undefined,
    help: 'Password of the system administrator',
    hidden: true,
    read: text,
  },
  secret: {
    env: 'ENTIGRID_SECRET',
    flag: 'secret',
    hint: 'TEXT',
    fallback: undefined,
    help: `Signs tokens and encrypts credentials, ${MIN_SECRET} characters or more; made and kept beside a SQLite file, required with PostgreSQL`,
    hidden: true,
    read: secret,
  },
  publicUrl: {
    env: 'ENTIGRID_PUBLIC_URL',
    flag: 'public-url',
    hint: 'URL',
    fallback: undefined,
    help: 'The URL that clients reach the server by, for links in replies and mails; told from each request by default',
    read: httpUrl,
  },
  compatibility: {
    env: 'ENTIGRID_COMPATIBILITY',
    flag: 'compat',
    hint: 'usergrid',
    fallback: undefined,
    help: 'Restores the defaults of the original where ours are safer',
    read: oneOf('usergrid'),
  },
  signing: {
    env: 'ENTIGRID_SIGNING',
    flag: 'signing',
    hint: 'ALGORITHM',
    fallback: 'HS256',
    help: 'Signs access tokens: HS256 with the secret, ES256 or RS256 with a key pair that is made, by which others can verify them',
    read: oneOf('HS256', 'ES256', 'RS256'),
  },
  sysadmins: {
    env: 'ENTIGRID_SYSADMINS',
    flag: 'sysadmins',
    hint: 'FROM',
    fallback: 'anywhere',
    help: 'From where system administrators are let in: anywhere, or local for the machine of the server; behind a proxy only with trust-proxy',
    read: oneOf('anywhere', 'local'),
  },
  passwordPolicy: {
    env: 'ENTIGRID_PASSWORD_POLICY',
    flag: 'password-policy',
    hint: 'TEXT',
    fallback: undefined,
    help: 'What passwords of users must have, such as length=12,uppercase=1,digits=1,special=1; 8 characters by default',
    read: readPasswordPolicy,
  },
  adminPasswordPolicy: {
    env: 'ENTIGRID_ADMIN_PASSWORD_POLICY',
    flag: 'admin-password-policy',
    hint: 'TEXT',
    fallback: undefined,
    help: 'The same for administrators',
    read: readPasswordPolicy,
  },
  logLevel: {
    env: 'ENTIGRID_LOG_LEVEL',
    flag: 'log-level',
    hint: 'LEVEL',
    fallback: 'info',
    help: `Least level that is logged: ${LOG_LEVELS.join(', ')}`,
    read: oneOf(...LOG_LEVELS),
  },
  trustProxy: {
    env: 'ENTIGRID_TRUST_PROXY',
    flag: 'trust-proxy',
    fallback: false,
    help: 'Believe X-Forwarded-Proto, X-Forwarded-Host and the last address of X-Forwarded-For, for use behind a proxy that always sets them',
    read: yesOrNo,
  },
  allowPrivateNetworks: {
    env: 'ENTIGRID_ALLOW_PRIVATE_NETWORKS',
    flag: 'allow-private-networks',
    fallback: false,
    help: 'Let OpenID providers that applications configure be on private networks, and without TLS',
    read: yesOrNo,
  },
  'rates.address': {
    env: 'ENTIGRID_RATE_ADDRESS',
    flag: 'rate-address',
    hint: 'NUMBER',
    fallback: DEFAULT_RATES.address,
    help: 'Operations a minute that are answered for one address; 0 does not limit',
    read: wholeNumber,
  },
  'rates.principal': {
    env: 'ENTIGRID_RATE_PRINCIPAL',
    flag: 'rate-principal',
    hint: 'NUMBER',
    fallback: DEFAULT_RATES.principal,
    help: 'Operations a minute that are answered for one user, administrator or client; 0 does not limit',
    read: wholeNumber,
  },
  ...ACCOUNT_SETTINGS,
  ...LIMIT_SETTINGS,
}

/** Keys and settings, in order. */
export const settingEntries = Object.entries(SETTINGS) as [keyof Config, Setting][]

const isLimit = (key: string): boolean => key.startsWith('limits.')

/** The settings as the lines of a help text; limits, which few change, on a line each. */
export const settingsHelp = (): string =>
  [
    ...settingEntries
      .filter(([key]) => !isLimit(key))
      .map(([key, { flag, hint, env, fallback, help }]) => {
        const shown = fallback === undefined ? '' : ` (default ${fallback})`
        return `  --${flag}${hint === undefined ? '' : ` ${hint}`}\n      ${help}${shown}.\n      ${env}, or "${key}" in the file.`
      }),
    '',
    'Limits on requests are settings, too: --limit-NAME NUMBER, ENTIGRID_LIMIT_NAME, or "limits.NAME" in the file.',
    '',
    ...settingEntries
      .filter(([key]) => isLimit(key))
      .map(([, { flag, fallback, help }]) => `  --${flag} (default ${fallback})  ${help}`),
  ].join('\n')

/** The settings but the limits as a table in Markdown, for the documentation. */
export const settingsTable = (): string =>
  [
    '| Environment | Flag | Key in the file | Default | Meaning |',
    '|---|---|---|---|---|',
    ...settingEntries
      .filter(([key]) => !isLimit(key))
      .map(
        ([key, { env, flag, fallback, help }]) =>
          `| \`${env}\` | \`--${flag}\` | \`${key}\` | ${fallback === undefined ? '' : `\`${fallback}\``} | ${help} |`,
      ),
  ].join('\n')

/** The limits as a table in Markdown. */
export const limitsTable = (): string =>
  [
    '| Limit | Default | At most | Counts | Of |',
    '|---|---|---|---|---|',
    ...LIMIT_NAMES.map((name) => {
      const { fallback, most, unit, meaning } = LIMITS[name]
      return `| \`${name}\` | ${fallback} | ${most} | ${unit} | ${meaning} |`
    }),
  ].join('\n')
