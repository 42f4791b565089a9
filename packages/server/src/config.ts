import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from './config-error.js'
import type { Setting } from './setting.js'
import { type Config, SETTINGS, settingEntries } from './settings.js'

export { ConfigError } from './config-error.js'

export interface ConfigSources {
  /** By name, without dashes. */
  flags: Readonly<Record<string, string | boolean | undefined>>
  env: Readonly<Record<string, string | undefined>>
  /** Folder that relative paths start from. */
  folder: string
}

const FILE = 'entigrid.config.json'

interface Found {
  value: unknown
  /** What the user wrote it as, for messages. */
  as: string
}

/**
 * Reads the configuration: flags before environment before file. The file is the one that the flag `config`
 * names, else entigrid.config.json in the folder, if it is there. An empty variable counts as unset.
 * @throws {ConfigError}
 */
export const readConfig = ({ flags, env, folder }: ConfigSources): Config => {
  const named = flags['config']
  const file = typeof named === 'string' ? named : FILE
  const fromFile = readFile(resolve(folder, file), file, named !== undefined)
  const config: Partial<Record<keyof Config, unknown>> = {}
  for (const [key, setting] of settingEntries) {
    const found = find(key, setting, flags, env, fromFile, file)
    config[key] = found === undefined ? setting.fallback : check(found, setting)
  }
  return config as Config
}

const find = (
  key: keyof Config,
  setting: Setting,
  flags: ConfigSources['flags'],
  env: ConfigSources['env'],
  fromFile: Record<string, unknown>,
  file: string,
): Found | undefined => {
  const flag = flags[setting.flag]
  if (flag !== undefined) return { value: flag, as: `--${setting.flag}` }
  const variable = env[setting.env]
  if (variable !== undefined && variable !== '') return { value: variable, as: setting.env }
  const entry = fromFile[key]
  return entry === undefined || entry === null ? undefined : { value: entry, as: `"${key}" in ${file}` }
}

const check = ({ value, as }: Found, { read, hidden }: Setting): unknown => {
  if (typeof value === 'object') throw new ConfigError(`${as} must be a single value`)
  try {
    return read(String(value))
  } catch (error) {
    const given = hidden === true ? '' : `, not ${JSON.stringify(value)}`
    throw new ConfigError(`${as} must be ${(error as Error).message}${given}`)
  }
}

const readFile = (path: string, file: string, required: boolean): Record<string, unknown> => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && !required) return {}
    throw new ConfigError(`The configuration file ${file} cannot be read (${code})`)
  }
  const content = parse(text, file)
  for (const key of Object.keys(content))
    if (!Object.hasOwn(SETTINGS, key))
      throw new ConfigError(
        `"${key}" in ${file} is not a setting; there are ${Object.keys(SETTINGS).join(', ')}`,
      )
  return content
}

const parse = (text: string, file: string): Record<string, unknown> => {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`The configuration file ${file} is not valid JSON: ${(error as Error).message}`)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new ConfigError(`The configuration file ${file} must hold a JSON object`)
  return content as Record<string, unknown>
}
