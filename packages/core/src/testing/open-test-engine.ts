import { Engine } from '../app.js'
import type { EngineOptions } from '../options.js'
import { openDatabase } from '../storage/typeorm/open-database.js'
import { openTestDatabase, type TestDatabaseName, type WrapDatabase } from './databases.js'

/** An engine on a database of its own, both gone at the end of the block. */
export interface TestEngine extends AsyncDisposable {
  engine: Engine
  close(): Promise<void>
}

/** Hashes that take no time, for tests that are not about them. */
const CHEAP = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
const SECRET = 'a secret that only tests know, long enough'

/** Opens an engine for one test. */
export const openTestEngine = async (
  name: TestDatabaseName,
  options: Partial<EngineOptions> = {},
  wrap: WrapDatabase = (database) => database,
): Promise<TestEngine> => {
  const place = await openTestDatabase(name)
  const database = wrap(await openDatabase(place.url, place.options))
  const engine = new Engine(database, {
    database: place.url,
    secret: SECRET,
    passwordCost: CHEAP,
    ...options,
  })
  const close = async (): Promise<void> => {
    await engine.close()
    await place.remove()
  }
  return { engine, close, [Symbol.asyncDispose]: close }
}
