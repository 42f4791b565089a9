import { isDeepStrictEqual } from 'node:util'
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
    const array = [...arrayOf(before)]
    for (const item of listOf(items)) if (!includes(array, item)) array.push(item)
    return array
  },
  $remove: (before, items) => {
    const unwanted = listOf(items)
    return before === undefined ? undefined : arrayOf(before).filter((item) => !includes(unwanted, item))
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

const includes = (array: readonly Json[], item: Json): boolean =>
  array.some((one) => one === item || (typeof one === 'object' && isDeepStrictEqual(one, item)))
