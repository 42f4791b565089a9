import type { Sql } from './sql.js'

const LOCK = 731_849_206

/**
 * For PostgreSQL, where a line of the change log may be committed after one with a higher number. Writers
 * share this lock from their first line to their commit. A reader takes it alone, which lets those that have
 * begun come to their end, and reads then: no line with a lower number can turn up later.
 */
export const changeLock = (app: number, mode: 'shared' | 'alone'): Sql => ({
  text: `SELECT pg_advisory_xact_lock${mode === 'shared' ? '_shared' : ''}(?::int, ?::int)`,
  values: [LOCK, app % 2 ** 31],
})
