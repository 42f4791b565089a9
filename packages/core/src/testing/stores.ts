import type { JsonObject } from '../domain/json.js'
import { newUuid } from '../domain/uuid.js'
import { openDatabase } from '../storage/typeorm/open-database.js'
import { SqlStore, type StoreOptions } from '../storage/typeorm/sql-store.js'
import { openTestDatabase, type TestDatabaseName, type WrapDatabase } from './databases.js'

/** A store on a new database. In it, `name` is unique in every collection. */
export interface TestStore extends AsyncDisposable {
  readonly store: SqlStore
  /** Opens another store on the same database, as a second process would. */
  another(): Promise<SqlStore>
}

/** For tests of storage; those of anything above it open an app. */
export const openTestStore = async (
  name: TestDatabaseName,
  options: Partial<StoreOptions> = {},
  wrap: WrapDatabase = (database) => database,
): Promise<TestStore> => {
  const place = await openTestDatabase(name)
  const stores: SqlStore[] = []
  const another = async (): Promise<SqlStore> => {
    const database = wrap(await openDatabase(place.url, place.options))
    const store = new SqlStore({ uniqueProperties: () => ['name'], clock: Date.now, ...options, database })
    stores.push(store)
    return store
  }
  return {
    store: await another(),
    another,
    [Symbol.asyncDispose]: async () => {
      for (const store of stores) await store.close()
      await place.remove()
    },
  }
}

/** A document as the engine makes them. */
export const document = (properties: JsonObject = {}, uuid = newUuid()): JsonObject => ({
  uuid,
  type: 'dog',
  ...properties,
})
