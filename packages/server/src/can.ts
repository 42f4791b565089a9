import type { ApiReply, ApiRequest } from '@entigrid/core'
import type { Arguments } from './arguments.js'
import { ConfigError } from './config.js'

/** A right, as the endpoint `_access` explains it. */
interface Right {
  verb: string
  path: string
  by?: { holder: string; name?: string; string?: string }
  needs?: string
}

interface Explanation {
  allowed: boolean
  reason?: string
  rights: Right[]
}

interface Opened {
  engine: { handle(request: ApiRequest): Promise<ApiReply> }
}

/** Tells whether a user may do something, and why; resolves with the exit code: 0 if he may, 1 if not. @throws {ConfigError} */
export const can = async (
  { engine }: Opened,
  { operands, flags }: Arguments,
  { print }: { print(text: string): void },
): Promise<number> => {
  const [user, method, path] = operands as [string, string, string]
  const { app, json } = flags
  if (typeof app !== 'string') throw new ConfigError('Name the application: --app ORGANIZATION/APPLICATION')
  const reply = await engine.handle({
    method: 'GET',
    path: `/${app}/_access`,
    search: String(new URLSearchParams({ user, method, path })),
    baseUrl: '',
    principal: { kind: 'system', reason: 'entigrid can' },
  })
  const body = JSON.parse(reply.body) as { data: Explanation; error_description?: string }
  if (reply.status >= 400) throw new ConfigError(String(body.error_description))
  const { data } = body
  print(json === true ? `${JSON.stringify(data)}\n` : told(user, `${method.toUpperCase()} ${path}`, data))
  return data.allowed ? 0 : 1
}

const told = (user: string, request: string, { allowed, reason, rights }: Explanation): string => {
  const head = allowed ? `${user} may ${request}` : `${user} may not ${request}: ${reason}`
  return [head, ...rights.map((right) => `  ${right.verb}:${right.path}  ${why(right)}`), ''].join('\n')
}

const why = ({ by, needs }: Right): string => {
  if (needs !== undefined) return `needs ${needs}`
  if (by === undefined) return ''
  return by.string === undefined
    ? 'everybody may read himself'
    : `by ${by.string} of the ${by.holder} ${by.name}`
}
