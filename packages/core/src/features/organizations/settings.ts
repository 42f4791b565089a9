import { illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import { readPasskeySettings } from '../factors/index.js'

/**
 * Settings of an organization with changes laid over them; `undefined` where there are none.
 * @throws {AppError} `illegal_argument`
 */
export const changedSettings = (before: unknown, changes: unknown): JsonObject | undefined => {
  const known = isJsonObject(before) ? (before as JsonObject) : undefined
  if (changes === undefined || changes === null) return known
  if (!isJsonObject(changes)) throw illegalArgument('The settings must be an object', 'settings')
  const { enforce2fa, ...others } = changes as JsonObject
  const [stranger] = Object.keys(others)
  if (stranger !== undefined) throw illegalArgument(`There is no setting "${stranger}"`, 'settings')
  return { ...known, ...readSwitch(enforce2fa, 'settings') }
}

/** Whether what an application's properties decide about signing in can be read. @throws {AppError} `illegal_argument` */
export const checkSignInProperties = ({ enforce2fa, passkeys }: JsonObject): void => {
  readSwitch(enforce2fa, 'enforce2fa')
  readPasskeySettings(passkeys)
}

const readSwitch = (enforce2fa: unknown, field: string): JsonObject => {
  if (enforce2fa === undefined) return {}
  if (enforce2fa === null) return { enforce2fa: false }
  if (typeof enforce2fa !== 'boolean') throw illegalArgument('enforce2fa must be true or false', field)
  return { enforce2fa }
}
