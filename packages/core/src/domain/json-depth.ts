import { AppError } from './errors.js'

/** @throws {AppError} `json_parse` if arrays and objects are nested deeper than `depth` levels. */
export const checkDepth = (value: unknown, depth: number): void => {
  if (!fitsIn(value, depth)) throw tooDeep(depth)
}

/** The refusal, for those who find out before there is a value. */
export const tooDeep = (depth: number): AppError =>
  new AppError('json_parse', `The JSON body is nested deeper than ${depth} levels`)

const fitsIn = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return true
  if (depth === 0) return false
  for (const child of Array.isArray(value) ? value : Object.values(value))
    if (typeof child === 'object' && !fitsIn(child, depth - 1)) return false
  return true
}
