import { AppError, adviceOn } from '@entigrid/core'
import { ConfigError } from './config.js'

interface StartFailure extends Error {
  code?: string
  syscall?: string
}

/**
 * Why the server cannot start, on one line that says what to do; `undefined` when the cause is not a known one.
 */
export const explainFailure = (
  error: unknown,
  { host, port, database }: { host: string; port: number; database: string },
): string | undefined => {
  if (!(error instanceof Error)) return undefined
  const { name, message, code, syscall } = error as StartFailure
  if (error instanceof ConfigError || name === 'DatabaseError') return message
  const advice = adviceOn(error.cause)
  if (code === 'unavailable' && advice !== null) return `The database ${database} cannot be used: ${advice}`
  if (code === 'error_password_policy_violation')
    return `The administrator's password is too weak: ${message}. Choose another with --admin-password`
  if (
    error instanceof AppError &&
    error.fields?.some(({ field }) => field === 'username' || field === 'email')
  )
    return `The administrator cannot be made: ${message}. Choose another name with --admin-username`
  if (name === 'NewerSchemaError')
    return `The database ${database} was written by a newer release: ${message}. Install that release, or restore a backup made before it`
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken. Stop the program that holds it, or choose another with --port`
  if (code === 'EACCES' && syscall === 'listen')
    return `Port ${port} may not be used without more rights. Choose one above 1023 with --port`
  if (
    code === 'EADDRNOTAVAIL' ||
    (code === 'ENOTFOUND' && syscall === 'getaddrinfo' && message.includes(host))
  )
    return `${host} is not an address of this machine. Choose another with --host`
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'ETIMEDOUT' || code === 'unavailable')
    return `The database ${database} cannot be reached (${code}). Start it, or correct --database-url`
  return undefined
}
