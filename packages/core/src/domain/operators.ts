import { illegalArgument } from './errors.js'
import { isJsonObject, type Json } from './json.js'

/** What each operator makes of the value that is there, `undefined` standing for none on both sides. */
const OPERATORS = {
  $inc: (before, amount) => {
    if (typeof amount !== 'number') throw wrong('takes a number')
    if (before !== undefined && typeof before !== 'number') throw wrong('needs a number to add to')
    const sum = (before ?? 0) + amount
    if (!Number.isFinite(sum)) throw wrong('leads past the greatest number')
    return sum
  },
  $add: (before, items) => [...arrayOf(before), ...listOf(items)],
  $addUnique: (before, items) => {
    const array = arrayOf(before)
    const known = new Values(array)
    return [...array, ...listOf(items).filter((item) => known.add(item))]
  },
  $remove: (before, items) => {
    const unwanted = new Values(listOf(items))
    return before === undefined ? undefined : arrayOf(before).filter((item) => !unwanted.has(item))
  },
  $unset: (_, yes) => {
    if (yes !== true) throw wrong('takes true')
    return undefined
  },
} satisfies Record<string, (before: Json | undefined, operand: Json) => Json | undefined>

type Operator = keyof typeof OPERATORS

/** Whether a value in a body changes what is there, in place of replacing it: `{"$inc": 1}`. */
export const isOperator = (value: Json): value is { [name in Operator]: Json } => {
  if (!isJsonObject(value)) return false
  const [key, ...others] = Object.keys(value)
  return key !== undefined && others.length === 0 && Object.hasOwn(OPERATORS, key)
}

/**
 * The value of a property after an operator; `undefined` when it is gone.
 * @throws {AppError} `illegal_argument` when the operator cannot be applied to what is there.
 */
export const applyOperator = (
  field: string,
  before: Json | undefined,
  operation: { [name in Operator]: Json },
): Json | undefined => {
  const [[name, operand]] = Object.entries(operation) as [[Operator, Json]]
  try {
    return OPERATORS[name](before, operand)
  } catch (error) {
    if (!(error instanceof NotApplicable)) throw error
    throw illegalArgument(`${name} of "${field}" ${error.message}`, field)
  }
}

class NotApplicable extends Error {}

const wrong = (message: string) => new NotApplicable(message)

const arrayOf = (value: Json | undefined): readonly Json[] => {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw wrong('needs an array')
  return value
}

const listOf = (operand: Json): readonly Json[] => (Array.isArray(operand) ? operand : [operand])

/** JSON values by their content, so that two long arrays are compared in the time it takes to read them. */
class Values {
  readonly #scalars = new Set<Json>()
  readonly #texts = new Set<string>()

  constructor(values: readonly Json[]) {
    for (const value of values) this.add(value)
  }

  has(value: Json): boolean {
    return isScalar(value) ? this.#scalars.has(value) : this.#texts.has(textOf(value))
  }

  /** Whether the value is new here. */
  add(value: Json): boolean {
    if (this.has(value)) return false
    if (isScalar(value)) this.#scalars.add(value)
    else this.#texts.add(textOf(value))
    return true
  }
}

const isScalar = (value: Json): boolean => typeof value !== 'object' || value === null

/** The same for two values that differ only in the order of keys. */
const textOf = (value: Json): string => JSON.stringify(inOrder(value))

const inOrder = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(inOrder)
  if (!isJsonObject(value)) return value
  const keys = Object.keys(value).sort()
  return Object.fromEntries(keys.map((key) => [key, inOrder(value[key]!)]))
}
