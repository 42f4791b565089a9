import { AppError } from '../errors.js'
import { isOnGlobe } from '../geo/location.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import { cutWord, fold } from '../text.js'
import type { CompareOp, Filter, Literal, Projection, Query, SortKey } from './ast.js'
import { type Token, tokenize } from './tokens.js'

const ESCAPED_CHARACTER =
  /%[0-7][\da-f]|%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}/gi

/**
 * The second URL decoding that clients of Usergrid rely on, after that of the request: percent sequences
 * are decoded once more, `+` is not, and what is not valid UTF-8 stays as it is.
 */
export const decodeQuery = (text: string): string =>
  text.replace(ESCAPED_CHARACTER, (sequence) => {
    try {
      return decodeURIComponent(sequence)
    } catch {
      return sequence
    }
  })

/**
 * Reads a query such as `select name where age > 3 order by name`. `select` and `where` may be left out;
 * a blank text selects everything.
 * @throws {AppError} `query_token` for a character that no token starts with, `too_many_direct_entities`,
 * and `query_parse` for everything else, with what was expected and at which character, counted from 1.
 */
export const parseQuery = (text: string, limits: Limits = DEFAULT_LIMITS): Query => {
  const { queryLength } = limits
  if (text.length > queryLength * DIRECT) throw tooLong(queryLength)
  const query = new Parser(tokenize(text), limits).query()
  if (query.direct === null && text.length > queryLength) throw tooLong(queryLength)
  return query
}

/** How many times longer a query with `direct` may be: the uuids in it take 37 characters each. */
const DIRECT = 4

const tooLong = (limit: number): AppError =>
  new AppError('query_parse', `A query must not be longer than ${limit} characters`)

/** Words that cannot name a property. */
const RESERVED = new Set([
  'and',
  'or',
  'not',
  'of',
  'true',
  'false',
  'eq',
  'lt',
  'lte',
  'gt',
  'gte',
  'select',
  'where',
])
const OPERATORS = new Map<string, CompareOp>([
  ['=', '='],
  ['eq', '='],
  ['<', '<'],
  ['lt', '<'],
  ['<=', '<='],
  ['lte', '<='],
  ['>', '>'],
  ['gt', '>'],
  ['>=', '>='],
  ['gte', '>='],
])
const PATTERN_WORD = /[\p{L}\p{N}\p{M}*]+/gu

/** Recursive descent; `#depth` bounds the recursion. Each method reads what it is named for. */
class Parser {
  readonly #tokens: Token[]
  readonly #limits: Limits
  #next = 0
  #depth = 0
  #terms = 0

  constructor(tokens: Token[], limits: Limits) {
    this.#tokens = tokens
    this.#limits = limits
  }

  query(): Query {
    const query: Query = { projection: null, filter: null, direct: null, sort: [] }
    if (this.#takes('select')) query.projection = this.#projection()
    if (this.#takes('where') || !this.#isAtEndOfFilter()) {
      if (this.#isAtDirect()) query.direct = this.#direct()
      else query.filter = this.#or()
    }
    if (this.#isAtOrder()) query.sort = this.#order()
    if (this.#peek().kind !== 'end')
      throw this.#expected(query.sort.length > 0 ? 'the end' : 'and, or, order by or the end')
    return query
  }

  #projection(): Projection | null {
    if (this.#takes('*')) return null
    const renames = this.#takes('{')
    const properties = this.#list(this.#limits.selectedProperties, 'selected properties', () => {
      const source = this.#property()
      if (!renames) return { source, name: source }
      this.#expect(':')
      const { text } = this.#peek()
      const name = this.#property()
      return { source, name: name === source ? source : text }
    })
    if (renames) this.#expect('}')
    return properties
  }

  #order(): SortKey[] {
    this.#next += 2
    const seen = new Set<string>()
    return this.#list(this.#limits.sortKeys, 'sort keys', () => {
      const token = this.#peek()
      const path = this.#property()
      if (seen.has(path)) throw refuse(`${token.text} must not be sorted by twice (character ${token.at})`)
      seen.add(path)
      const descending = this.#takes('desc')
      if (!descending) this.#takes('asc')
      return { path, descending }
    })
  }

  #direct(): string[] {
    this.#next++
    const refs: string[] = []
    do {
      const token = this.#peek()
      if (token.kind !== 'uuid' && !isName(token)) throw this.#expected('a uuid or a name')
      if (refs.length === this.#limits.directEntities) {
        throw new AppError(
          'too_many_direct_entities',
          `direct must not list more than ${this.#limits.directEntities} entities`,
        )
      }
      refs.push(token.text)
      this.#next++
    } while (this.#takes(','))
    return refs
  }

  #or(): Filter {
    return this.#joined('or', '||', () => this.#joined('and', '&&', () => this.#unary()))
  }

  #joined(kind: 'and' | 'or', symbol: string, read: () => Filter): Filter {
    const items: Filter[] = []
    do {
      const item = read()
      if (item.kind === kind) items.push(...item.items)
      else items.push(item)
    } while (this.#takes(kind) || this.#takes(symbol))
    return items.length === 1 ? items[0]! : { kind, items }
  }

  #unary(): Filter {
    return this.#takes('not') ? { kind: 'not', item: this.#primary() } : this.#primary()
  }

  #primary(): Filter {
    if (!this.#takes('(')) return this.#term()
    if (++this.#depth > this.#limits.queryDepth)
      throw refuse(`A query must not be nested deeper than ${this.#limits.queryDepth}`)
    const filter = this.#or()
    this.#expect(')')
    this.#depth--
    return filter
  }

  #term(): Filter {
    if (!isName(this.#peek())) throw this.#expected('a property, not or (')
    const path = this.#property()
    this.#count(1)
    if (this.#takes('contains')) return { kind: 'contains', path, words: this.#words() }
    if (this.#takes('within')) return this.#within(path)
    const op = OPERATORS.get(this.#word())
    if (op === undefined) throw this.#expected('=, <, <=, >, >=, contains or within')
    this.#next++
    return { kind: 'compare', path, op, value: this.#literal() }
  }

  #words(): string[] {
    const token = this.#peek()
    if (token.kind !== 'string') throw this.#expected('a string in single quotes')
    this.#next++
    const found = fold(token.value).match(PATTERN_WORD) ?? []
    const words = [...new Set(found.map((word) => (word.includes('*') ? word : cutWord(word))))]
    this.#count(words.length - 1)
    return words
  }

  #count(terms: number): void {
    this.#terms += terms
    if (this.#terms > this.#limits.queryTerms)
      throw refuse(`A query must not have more than ${this.#limits.queryTerms} terms`)
  }

  #within(path: string): Filter {
    const [start, radius] = [this.#peek(), this.#number()]
    if (radius < 0) throw refuse(`A radius must not be negative (character ${start.at})`)
    this.#expect('of')
    const [centre, latitude] = [this.#peek(), this.#number()]
    this.#expect(',')
    const longitude = this.#number()
    if (!isOnGlobe({ latitude, longitude })) {
      throw refuse(
        `A latitude must lie between -90 and 90, a longitude between -180 and 180 (character ${centre.at})`,
      )
    }
    return { kind: 'within', path, radius, latitude, longitude }
  }

  #literal(): Literal {
    const token = this.#peek()
    const value = literalOf(token)
    if (value === null) throw this.#expected('a number, true, false, a uuid or a string in single quotes')
    this.#next++
    return value
  }

  #number(): number {
    const token = this.#peek()
    if (token.kind !== 'number') throw this.#expected('a number')
    this.#next++
    return token.value
  }

  #property(): string {
    const token = this.#peek()
    if (!isName(token)) throw this.#expected('a property')
    this.#next++
    return fold(token.text)
  }

  #list<T>(limit: number, what: string, read: () => T): T[] {
    const items: T[] = []
    do {
      if (items.length === limit) throw refuse(`A query must not have more than ${limit} ${what}`)
      items.push(read())
    } while (this.#takes(','))
    return items
  }

  #isAtOrder(): boolean {
    return (this.#word() === 'order' || this.#word() === 'sort') && this.#word(1) === 'by'
  }

  #isAtEndOfFilter(): boolean {
    return this.#isAtOrder() || this.#peek().kind === 'end'
  }

  /** `direct` is a list of entities unless it is a property that something is asked of. */
  #isAtDirect(): boolean {
    const next = this.#peek(1)
    if (this.#word() !== 'direct') return false
    if (next.kind === 'uuid') return true
    const operand = this.#peek(2).kind
    return isName(next) && !(isTermWord(next.word) && (operand === 'string' || operand === 'number'))
  }

  #peek(ahead = 0): Token {
    return this.#tokens[this.#next + ahead] ?? this.#tokens.at(-1)!
  }

  /** The keyword or symbol there; nothing for values. */
  #word(ahead = 0): string {
    const token = this.#peek(ahead)
    return token.kind === 'word' ? token.word : token.kind === 'symbol' ? token.text : ''
  }

  #takes(word: string): boolean {
    if (this.#word() !== word) return false
    this.#next++
    return true
  }

  #expect(word: string): void {
    if (!this.#takes(word)) throw this.#expected(word)
  }

  #expected(what: string): AppError {
    const { kind, text, at } = this.#peek()
    const found = kind === 'end' ? 'the end' : text.length > 40 ? `${text.slice(0, 40)}…` : text
    return refuse(`Expected ${what} at character ${at}, found ${found}`)
  }
}

const refuse = (message: string): AppError => new AppError('query_parse', message)

const isName = (token: Token): token is Extract<Token, { kind: 'word' }> =>
  token.kind === 'word' && !RESERVED.has(token.word)

const isTermWord = (word: string): boolean => word === 'contains' || word === 'within'

const literalOf = (token: Token): Literal | null => {
  switch (token.kind) {
    case 'string':
    case 'number':
      return token.kind === 'string'
        ? { kind: 'string', value: token.value }
        : { kind: 'number', value: token.value }
    case 'uuid':
      return { kind: 'uuid', value: token.text.toLowerCase() }
    case 'word':
      return token.word === 'true' || token.word === 'false'
        ? { kind: 'boolean', value: token.word === 'true' }
        : null
    default:
      return null
  }
}
