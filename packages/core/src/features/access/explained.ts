import type { Application, Caller, Decision } from '../../api/caller.js'
import { type Access, isPermitted } from '../../api/permit.js'
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
export const explained = ({ allowed, verb, path }: Decision, around: Circumstances): JsonObject => {
  const right = { verb, path: `/${path.map((names) => shownName(names, around)).join('/')}`, allowed }
  if (allowed) {
    const by = decider({ verb, path }, around)
    return by === null ? right : { ...right, by }
  }
  const needs = needed({ verb, path }, around)
  return needs === undefined ? right : { ...right, needs }
}

const grantedBy = ({ app, caller }: Circumstances, access: Access, string: string): boolean =>
  isPermitted({ ...caller, grants: compileGrants([string]) }, app, access)

/** The first string that covers the right by itself, as it takes one that does; `self` may read himself without. */
const decider = (access: Access, around: Circumstances): JsonObject | null => {
  const { app, caller, held } = around
  if (isPermitted({ ...caller, grants: null }, app, access)) return { holder: 'self' }
  for (const { holder, name, strings } of held) {
    const string = strings.find((one) => grantedBy(around, access, one))
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
  const found = [`${verb}:/${literal.join('/')}`, `${verb}:/**`].find((one) => grantedBy(around, access, one))
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
