import { Entities1700000000001 } from './0001-entities.js'
import { Replies1764000000002 } from './0002-replies.js'

/** Every change of schema, oldest first. A released migration is never edited: add another. */
export const migrations = [Entities1700000000001, Replies1764000000002]
