export type { SqlConnection, SqlDatabase } from '../storage/typeorm/connection.js'
export {
  ALL_DATABASES,
  DATABASES,
  openTestDatabase,
  type TestDatabase,
  type TestDatabaseName,
} from './databases.js'
export { openTestEngine, type TestEngine, type WrapDatabase } from './open-test-engine.js'
