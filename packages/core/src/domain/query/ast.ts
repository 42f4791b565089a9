/** A value as a query writes it. A uuid may be written bare; it meets strings. */
export type Literal =
  | { kind: 'string'; value: string }
  | { kind: 'number'; value: number }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'uuid'; value: string }

export type CompareOp = '=' | '<' | '<=' | '>' | '>='

/** What an entity's property must satisfy. The index does not know it, or must not be asked, where `byDocument` is set. */
export type Term = { path: string; byDocument?: true } & (
  | { kind: 'compare'; op: CompareOp; value: Literal }
  /** Any of the words occurs. They are lower-case; `*` in a word stands for any run of characters. */
  | { kind: 'contains'; words: string[] }
  /** `radius` in metres, the rest in degrees. */
  | { kind: 'within'; radius: number; latitude: number; longitude: number }
)

/**
 * What an entity must satisfy. Paths are dotted and lower-case. An `and` or `or` that was written has at least two
 * items, none of its own kind; an `or` of no items matches nothing.
 */
export type Filter = Term | { kind: 'and' | 'or'; items: Filter[] } | { kind: 'not'; item: Filter }

export interface SortKey {
  path: string
  descending: boolean
}

/** Chosen properties: `source` is a lower-case path; a `name` other than it renames the property. */
export type Projection = { source: string; name: string }[]

export interface Query {
  /** `null` for `*`. */
  projection: Projection | null
  filter: Filter | null
  /** Uuids and names listed by `direct`, as written; there is no filter beside it. */
  direct: string[] | null
  sort: SortKey[]
}

/** The scalar that documents are compared with: outer blanks of a string do not count. */
export const literalValue = (literal: Literal): string | number | boolean =>
  literal.kind === 'string' ? literal.value.trim() : literal.value
