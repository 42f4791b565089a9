export type { SqlConnection, SqlDatabase } from '../storage/typeorm/connection.js'
export {
  ALL_DATABASES,
  DATABASES,
  openTestDatabase,
  type TestDatabase,
  type TestDatabaseName,
  type WrapDatabase,
} from './databases.js'
export { openTestEngine, type TestEngine } from './open-test-engine.js'
export { StatementCounter } from './statements.js'
