import type { Application, Caller, Decision } from '../../api/caller.js'
import { type Access, reachIn } from '../../api/permit.js'
import type { JsonObject } from '../../domain/json.js'
import { compileGrants, formatPermission, parsePermission } from '../../domain/permission.js'
import { isUuid } from '../../domain/uuid.js'
import type { Held } from '../roles/index.js'

export interface Circumstances {
  app: Application
  /** Of whom it was decided. */
  caller: Caller
  held: readonly Held[]
  /** Segments of the path as it was written, in lower case. */
  typed: readonly string[]
  /** Whether names may be shown that the path has not. */
  all: boolean
}

/** A decision, with what it was due to (`by`), or with the string that would turn it (`needs`). */
export const explained = (decision: Decision, around: Circumstances): JsonObject => {
  const { allowed, verb, path, filter } = decision
  const right = { verb, path: `/${path.map((names) => shownName(names, around)).join('/')}`, allowed }
  if (allowed) {
    const by = decider(decision, around)
    // For some entities only, as the string says.
    const told = filter === null ? right : { ...right, filtered: true }
    return by === null ? told : { ...told, by }
  }
  const needs = needed({ verb, path }, around)
  return needs === undefined ? right : { ...right, needs }
}

type Asked = Access & Pick<Decision, 'entity'>

const isGranted = (
  { app, caller }: Circumstances,
  { entity, ...access }: Asked,
  strings: string[] | null,
): boolean => {
  const grants = strings === null ? null : compileGrants(strings, caller.self)
  return reachIn({ ...caller, grants, witness: undefined }, app, access, entity) !== 'none'
}

/** The first string that covers the right by itself, as it takes one that does; `self` may read himself without. */
const decider = ({ verb, path, entity }: Decision, around: Circumstances): JsonObject | null => {
  const access = { verb, path, entity }
  if (isGranted(around, access, null)) return { holder: 'self' }
  for (const { holder, name, strings } of around.held) {
    const string = strings.find((one) => isGranted(around, access, [one]))
    if (string !== undefined) return { string, holder, name }
  }
  return null
}

/** The narrowest string for the path as it was written; where a name cannot be written in one, by uuid or wildcard. */
const needed = (access: Access, around: Circumstances): string | undefined => {
  const { verb, path } = access
  const literal = path.map((names) => {
    const written = [typedName(names, around), ...(around.all ? names : [])]
    return written.find((name) => name !== undefined && isLiteral(name)) ?? '*'
  })
  const found = [`${verb}:/${literal.join('/')}`, `${verb}:/**`].find((one) =>
    isGranted(around, access, [one]),
  )
  return found === undefined ? undefined : formatPermission(parsePermission(found))
}

const isLiteral = (name: string): boolean => name !== '' && !/[*?,:/\s]/.test(name)

/** A segment as the path has it: what else an entity is called is not always to be told. */
const typedName = (names: readonly string[], { typed }: Circumstances): string | undefined =>
  names.find((name) => typed.includes(name.toLowerCase())) ?? (isWord(names) ? names[0] : undefined)

/** Only entities have several names; a collection that may be left out has the empty one, too. */
const isWord = (names: readonly string[]): boolean => names.length === 1 || names.includes('')

const shownName = (names: readonly string[], around: Circumstances): string => {
  const uuid = around.all ? names.find(isUuid) : undefined
  return uuid ?? typedName(names, around) ?? (around.all ? names[0]! : '*')
}
