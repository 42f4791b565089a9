/** The database was closed, or is being closed: nothing was run. */
export class DatabaseClosedError extends Error {
  override readonly name = 'DatabaseClosedError'
  readonly code = 'DATABASE_CLOSED'
  constructor() {
    super('The database is closed')
  }
}
