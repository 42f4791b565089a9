import type { Asker, Thing, World } from './model.js'

/** Whether a query of a user finds a thing. It asks in vain about what is hidden or not known to queries. */
export const isAsked = ({ hidden, unindexed }: World, ql: string, thing: Thing): boolean => {
  if (ql === '' || ql.startsWith('order by')) return true
  if (ql.startsWith('direct ')) return ql.slice(7).split(', ').includes(thing.uuid)
  const unasked = unindexed.includes(thing.collection)
    ? ['owner', 'level', 'code']
    : hidden.includes(thing.collection)
      ? ['code']
      : []
  return holds(ql, thing, null, unasked)
}

/** Conditions with `not`, joined by `or` or by `and`, each of them of three words. */
export const holds = (condition: string, thing: Thing, asker: Asker, unasked: string[] = []): boolean => {
  const holdsToo = (one: string) => holds(one, thing, asker, unasked)
  if (condition.includes(' or ')) return condition.split(' or ').some(holdsToo)
  if (condition.includes(' and ')) return condition.split(' and ').every(holdsToo)
  if (condition.startsWith('not ')) return !holdsToo(condition.slice(4))
  const [property = '', comparison, word = ''] = condition.split(' ')
  if (unasked.includes(property)) return false
  const { uuid, name, values } = thing
  const found = [{ uuid, name, ...values }[property] ?? []].flat()
  if (comparison === '>') return found.some((value) => Number(value) > Number(word))
  const plain = word.replaceAll("'", '')
  const self: Record<string, (asker: Thing) => string[]> = {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: variables of permission strings.
    '${user}': (user) => [user.uuid, user.name],
    '${user.uuid}': (user) => [user.uuid],
    '${user.username}': (user) => [user.name],
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: variables of permission strings.
  }
  const wanted = self[plain] ? (asker === null ? [] : self[plain](asker)) : [plain]
  return found.some((value) => wanted.some((one) => one.toLowerCase() === String(value).toLowerCase()))
}
