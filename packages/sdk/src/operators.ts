/** Changes of a property in place of a value: each is carried out by the server on what is there by then. */
export type Increment = { readonly $inc: number }
export type Addition<T> = { readonly $add: T[] }
export type UniqueAddition<T> = { readonly $addUnique: T[] }
export type Removal<T> = { readonly $remove: T[] }
export type Unset = { readonly $unset: true }

/** Adds to a number, which counts as 0 where there is none. */
export const inc = (amount = 1): Increment => ({ $inc: amount })

/** Appends to an array, which is made where there is none. */
export const add = <T>(...items: T[]): Addition<T> => ({ $add: items })

/** Appends those that are not in the array yet. */
export const addUnique = <T>(...items: T[]): UniqueAddition<T> => ({ $addUnique: items })

/** Takes all that are equal to one of these out of an array. */
export const remove = <T>(...items: T[]): Removal<T> => ({ $remove: items })

/** Removes the property, as `null` does. */
export const unset = (): Unset => ({ $unset: true })

/** The operators that may stand for a value of type `V`. */
export type OperatorOn<V> =
  | (number extends V ? Increment : never)
  | ArrayOperator<Extract<V, readonly unknown[]>>
  | (undefined extends V ? Unset : never)
type ArrayOperator<A extends readonly unknown[]> = [A] extends [never]
  ? never
  : Addition<A[number]> | UniqueAddition<A[number]> | Removal<A[number]>

const OPERATOR = /^\$(inc|add|addUnique|remove|unset)$/
/** These change what is there by whatever it has become, so that it need not be what was read. */
const RELATIVE = /^\$(inc|add|addUnique|remove)$/
/** These do something else the second time. */
const COUNTING = /^\$(inc|add)$/

/** Whether a body changes things only relatively to what they are. In a merge patch, operators stand at any `depth`. */
export const isRelative = (body: unknown, depth: 'top' | 'any'): boolean => {
  const values = valuesOf(body)
  return (
    values.length > 0 &&
    values.every(
      (value) =>
        hasOperator(value, RELATIVE) ||
        (depth === 'any' && isObject(value) && !hasOperator(value) && isRelative(value, depth)),
    )
  )
}

/** Whether there is an operator anywhere that does something else the second time. */
export const isCounting = (value: unknown): boolean =>
  hasOperator(value, COUNTING) || valuesOf(value).some(isCounting)

const hasOperator = (value: unknown, wanted = OPERATOR): boolean => {
  const [name, ...others] = isObject(value) ? Object.keys(value) : []
  return name !== undefined && others.length === 0 && wanted.test(name)
}

/** Without those that JSON drops. */
const valuesOf = (value: unknown): unknown[] =>
  isObject(value) || Array.isArray(value) ? Object.values(value).filter((one) => one !== undefined) : []

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
