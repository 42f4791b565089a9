import pino from 'pino'

/** What the server writes its log to; a pino logger is one. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Writes JSON lines to a file descriptor, 1 or 2, without blocking requests. `flush` writes what is left, before the end. */
export const openLog = (level: string, fd: 1 | 2): { log: Log; flush: () => void } => {
  const destination = pino.destination({ fd, sync: false })
  const formatters = { level: (label: string) => ({ level: label }) }
  const log = pino({ level, base: null, formatters }, destination)
  return { log, flush: () => destination.flushSync() }
}
