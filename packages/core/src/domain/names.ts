import pluralize from 'pluralize'
import { AppError } from './errors.js'

/** Words that are their own plural here, whatever the dictionary says. */
const UNCOUNTABLE = new Set([
  'data',
  'analytics',
  'equipment',
  'information',
  'rice',
  'money',
  'species',
  'series',
  'fish',
  'sheep',
])
const MAX_REMEMBERED = 10_000
const MAX_LENGTH = 100
const WORD = /^[\p{L}\p{N}][\p{L}\p{N}_.\- ]*$/u
const RESERVED = /^(entity|entities|dynamicentity|dynamicentities)/

const plurals = new Map<string, string>()
const singulars = new Map<string, string>()

const remember = (cache: Map<string, string>, key: string, value: string): string => {
  if (cache.size >= MAX_REMEMBERED) cache.clear()
  cache.set(key, value)
  return value
}

const plural = (word: string): string => {
  if (UNCOUNTABLE.has(word)) return word
  // A word in -s is taken for a plural, as Usergrid's clients expect (`nodejs` stays `nodejs`).
  return word.endsWith('s') && !/(ss|us|is|as|x)$/.test(word) ? word : pluralize.plural(word)
}

/**
 * The collection that a path word means: its plural in lower case, `dogs` for `dog`, `Dogs` and `DOGS`.
 * @throws {AppError} `illegal_argument` for a word that cannot name a collection.
 */
export const collectionName = (word: string): string => {
  const known = plurals.get(word)
  if (known !== undefined) return known
  const lower = word.trim().toLowerCase()
  if (lower.length > MAX_LENGTH || !WORD.test(lower)) {
    throw new AppError(
      'illegal_argument',
      `"${word.slice(0, MAX_LENGTH)}" cannot name a collection: use letters, digits, "-", "_" and "."`,
    )
  }
  if (RESERVED.test(lower)) throw new AppError('illegal_argument', `Invalid entity type "${lower}"`)
  return remember(plurals, word, plural(lower))
}

/** The type of a collection's entities: the singular of its name. Going back gives the collection again. */
export const typeName = (collection: string): string => {
  const known = singulars.get(collection)
  if (known !== undefined) return known
  const singular = UNCOUNTABLE.has(collection) ? collection : pluralize.singular(collection)
  return remember(
    singulars,
    collection,
    plural(singular) === collection ? singular : plainSingular(collection),
  )
}

const plainSingular = (collection: string): string => {
  const cut = collection.endsWith('s') ? collection.slice(0, -1) : collection
  return plural(cut) === collection ? cut : collection
}
