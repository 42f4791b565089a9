import { builtInDescriptors } from './built-in.js'
import { Descriptors } from './engine/descriptor.js'
import { type CheckUp, type CheckUpOptions, checkUp } from './storage/typeorm/doctor/examine.js'
import type { DatabaseOptions } from './storage/typeorm/open-database.js'
import { openExisting } from './storage/typeorm/open-existing.js'

export type ExamineOptions = DatabaseOptions & Omit<CheckUpOptions, 'uniqueProperties'>

/**
 * Checks every invariant of a database: that index rows, words, unique values, connections, counts and the change
 * log agree with the entities. It reads one snapshot, and may run while servers do. With `repair`, mends what can
 * be derived, and checks again.
 * @throws {DatabaseError} for a database that is not there, not Entigrid's, or of another version;
 * {NewerSchemaError}.
 */
export const examine = async (databaseUrl: string, options: ExamineOptions = {}): Promise<CheckUp> => {
  const descriptors = new Descriptors(builtInDescriptors({ pictureScheme: 'https' }))
  const uniqueProperties = (collection: string) => descriptors.of(collection).unique
  const database = await openExisting(databaseUrl, options)
  try {
    return await checkUp(database, { ...options, uniqueProperties })
  } finally {
    await database.close()
  }
}
