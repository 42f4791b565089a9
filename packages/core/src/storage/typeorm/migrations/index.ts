import { Entities1700000000001 } from './0001-entities.js'
import { Replies1764000000002 } from './0002-replies.js'
import { Rates1764000000003 } from './0003-rates.js'

/** Every change of schema, oldest first. A released migration is never edited: add another. */
export const migrations = [Entities1700000000001, Replies1764000000002, Rates1764000000003]
