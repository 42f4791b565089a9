/** System properties stay queryable whatever a collection's `fields` setting says. */
const ALWAYS = new Set(['uuid', 'type', 'name', 'created', 'modified'])

/**
 * Whether a lower-cased property path may be queried under a collection's `fields` setting: a listed path
 * covers the paths nested in it; `none` hides everything.
 */
export const isQueryable = (fields: 'all' | 'none' | string[] | undefined, path: string): boolean => {
  if (fields === undefined || fields === 'all') return true
  if (fields === 'none') return false
  if (ALWAYS.has(path)) return true
  return fields.some((field) => {
    const listed = field.toLowerCase()
    return path === listed || path.startsWith(`${listed}.`)
  })
}
