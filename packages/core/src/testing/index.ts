export { ALL_DATABASES, DATABASES, openTestDatabase, type TestDatabase, type TestDatabaseName } from './databases.js'
export { openTestEngine, type TestEngine } from './open-test-engine.js'
