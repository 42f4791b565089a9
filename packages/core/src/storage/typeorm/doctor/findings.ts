/** Every kind of finding, and what it says. */
export const PROBLEMS = {
  file: 'SQLite finds the file damaged',
  unreadable: 'a part of the database cannot be read',
  document: 'entity whose document is damaged',
  document_form: 'document that does not begin with its uuid',
  collection: 'entity of a collection that does not exist',
  path_missing: 'property that has values but no index path',
  path_multi: 'property with several values in one entity that is not marked so',
  path_ownerless: 'index path of a collection that does not exist',
  index_missing: 'index row that is missing',
  index_extra: 'index row that no document gives',
  words_wrong: 'entity whose words in the full-text index are not those of its document',
  words_ownerless: 'words in the full-text index of an entity that does not exist',
  unique_missing: 'unique value that is not held',
  unique_wrong: 'unique value that is held for another entity',
  unique_extra: 'unique value that is held for an entity without it',
  unique_contested: 'unique value that two entities have',
  edge_dangling: 'connection whose source, target or verb does not exist',
  links_wrong: 'entity whose list of verbs is not that of its connections',
  dictionary_ownerless: 'dictionary entry of an entity that does not exist',
  count_wrong: 'collection whose count is wrong',
  change_wrong: 'entity that the change log contradicts',
  change_unreadable: 'line of the change log with an unknown collection, verb or kind',
  sequence_behind: 'sequence that would hand out a number again',
} as const

export type FindingKind = keyof typeof PROBLEMS

export interface Finding {
  kind: FindingKind
  /** One of them, in words. */
  problem: string
  count: number
  /** Up to five. They name entities, paths and collections, never values. */
  examples: string[]
}

const MAX_EXAMPLES = 5

/** Findings by kind, with a bounded number of examples. */
export class Findings {
  readonly #byKind = new Map<FindingKind, Finding>()

  add(kind: FindingKind, example: string, count = 1): void {
    const finding = this.#byKind.get(kind) ?? { kind, problem: PROBLEMS[kind], count: 0, examples: [] }
    finding.count += count
    if (finding.examples.length < MAX_EXAMPLES) finding.examples.push(example)
    this.#byKind.set(kind, finding)
  }

  has(...kinds: FindingKind[]): boolean {
    return kinds.some((kind) => this.#byKind.has(kind))
  }

  list(): Finding[] {
    return [...this.#byKind.values()]
  }
}
