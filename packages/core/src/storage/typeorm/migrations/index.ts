import { Entities1700000000001 } from './0001-entities.js'

/** Every change of schema, oldest first. A released migration is never edited: add another. */
export const migrations = [Entities1700000000001]
