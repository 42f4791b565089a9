/** Why a database cannot be used, on one line that says what to do. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}
