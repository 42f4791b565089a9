import { isJsonObject, type Json } from './json.js'
import { applyOperator, isOperator } from './operators.js'

/**
 * A value with a patch laid over it (JSON merge patch, RFC 7396): objects are merged at every depth, `null` removes,
 * anything else replaces. An operator anywhere changes the value in its place. `undefined` stands for no value.
 * @throws {AppError} `illegal_argument` for an operator that cannot be applied.
 */
export const mergePatch = (field: string, before: Json | undefined, patch: Json): Json | undefined => {
  if (patch === null) return undefined
  if (!isJsonObject(patch)) return patch
  if (isOperator(patch)) return applyOperator(field, before, patch)
  const merged = new Map(Object.entries(before !== undefined && isJsonObject(before) ? before : {}))
  for (const [key, value] of Object.entries(patch)) {
    const after = mergePatch(`${field}.${key}`, merged.get(key), value)
    if (after === undefined) merged.delete(key)
    else merged.set(key, after)
  }
  return Object.fromEntries(merged)
}
