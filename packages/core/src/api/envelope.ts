import type { Json } from '../domain/json.js'
import type { ApiReply } from './request.js'
import type { Params } from './url.js'

/** Parameters that may carry secrets are never echoed. */
const UNECHOED = new Set([
  'access_token',
  'token',
  'client_id',
  'client_secret',
  'client_credentials',
  'username',
  'password',
  'oldpassword',
  'newpassword',
  'pin',
  'refresh_token',
  'second_factor_token',
  'id_token',
  'code',
  'code_verifier',
  'recovery_code',
  'fb_access_token',
  'fq_access_token',
  'ping_access_token',
])

/** JSON text that is put into a reply as it is. */
export class RawJson {
  constructor(readonly text: string) {}
}

export type EnvelopeValue = Json | RawJson | undefined

/** A reply in the common envelope; `undefined` values are left out. `startedAt` and `now` are UTC milliseconds. */
export const envelope = (
  fields: Record<string, EnvelopeValue>,
  startedAt: number,
  now: number,
): ApiReply => ({
  status: 200,
  body: `{${members(fields)}${times(startedAt, now)}}`,
})

/** Fields as members of a JSON object, each followed by a comma; without those named `except`. */
export const members = (fields: Record<string, EnvelopeValue>, except: readonly string[] = []): string => {
  let json = ''
  for (const key in fields) {
    const value = fields[key]
    if (value !== undefined && !except.includes(key))
      json += `"${key}":${value instanceof RawJson ? value.text : JSON.stringify(value)},`
  }
  return json
}

export const times = (startedAt: number, now: number): string =>
  `"timestamp":${startedAt},"duration":${Math.max(0, now - startedAt)}`

export const paramsJson = (params: Params): string => {
  if (params.size === 0) return '{}'
  const shown = [...params].filter(([name]) => !UNECHOED.has(name.toLowerCase()))
  return JSON.stringify(Object.fromEntries(shown))
}
