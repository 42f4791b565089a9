import type { Descriptors } from '../engine/descriptor.js'
import type { Log } from '../options.js'
import type { SqlDatabase } from '../storage/typeorm/connection.js'
import { SqlStore } from '../storage/typeorm/sql-store.js'
import { adviceOn } from '../storage/typeorm/sqlite/file-trouble.js'

/** The store of an engine, which tells operators what they should know of it. */
export const openStore = (
  database: SqlDatabase,
  descriptors: Descriptors,
  { clock, log }: { clock: () => number; log: Log },
): SqlStore =>
  new SqlStore({
    database,
    clock,
    uniqueProperties: (collection) => descriptors.of(collection).unique,
    maxExamined: descriptors.limits.examined,
    onSlowListing: (listing) =>
      log.warn(
        listing,
        'a query looked at many entities: add an index for it with the setting "indexes" of its collection',
      ),
    onUnavailable: (err) => {
      const advice = adviceOn(err)
      if (advice === null) log.warn({ err }, 'the database is not available')
      else log.error({ err }, `the database file cannot be used: ${advice}`)
    },
  })
