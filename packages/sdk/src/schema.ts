import type { Entity, SystemProperties } from './entity.js'
import type { Json, Untyped } from './json.js'
import type { OperatorOn } from './operators.js'

/** The properties of a collection's entities, known to the compiler only: the value is empty. */
export interface CollectionShape<P = unknown, N = unknown> {
  readonly properties?: P
  readonly onCreate?: N
}

/** Declares a collection. `N` are properties that only `create` takes, such as a user's password. */
export const collection = <P extends object, N = unknown>(): CollectionShape<P, N> => ({})

export interface Connection<Name extends string = string> {
  readonly from: Name
  readonly verb: string
  readonly to: Name
}

/** What an application holds. It guides the compiler; the server neither knows nor enforces it. */
export interface Schema {
  readonly collections: Readonly<Record<string, CollectionShape>>
  readonly connections?: readonly Connection[]
}

/** The schema of clients without one: any collection, any property, any verb. */
export interface AnySchema {
  readonly collections: Readonly<Record<string, CollectionShape<Untyped>>>
  readonly connections: readonly Connection[]
}

/** Returns its argument, checked: connections can only name collections that are there. */
export const defineSchema = <
  C extends Record<string, CollectionShape>,
  const L extends readonly Connection<keyof C & string>[] = [],
>(schema: {
  readonly collections: C
  readonly connections?: L
}) => schema

export type NameOf<S extends Schema> = keyof S['collections'] & string

export type PropertiesOf<S extends Schema, C extends NameOf<S>> =
  S['collections'][C] extends CollectionShape<infer P> ? P : never

type OnCreateOf<S extends Schema, C extends NameOf<S>> =
  S['collections'][C] extends CollectionShape<infer _, infer N> ? N : never

export type EntityOf<S extends Schema, C extends NameOf<S>> = C extends string
  ? Entity<PropertiesOf<S, C>, C>
  : never

/** What queries of a collection may name. */
export type QueryableOf<S extends Schema, C extends NameOf<S>> = C extends string
  ? PropertiesOf<S, C> & SystemProperties
  : never

export type NewOf<S extends Schema, C extends NameOf<S>> = PropertiesOf<S, C> &
  OnCreateOf<S, C> & { name?: string }

/** New values, or operators; `null` removes a property, where it may be missing. */
export type PatchOf<S extends Schema, C extends NameOf<S>> = Patch<PropertiesOf<S, C> & { name?: string }>
type Patch<P> = { [K in keyof P]?: P[K] | OperatorOn<P[K]> | Removable<P[K]> }
type Removable<V> = undefined extends V ? null : never

/** The same at every depth: objects are merged, arrays replaced. */
export type MergePatchOf<S extends Schema, C extends NameOf<S>> = MergePatch<
  PropertiesOf<S, C> & { name?: string }
>
type MergePatch<P> = { [K in keyof P]?: Merged<P[K]> | OperatorOn<P[K]> | Removable<P[K]> }
type Merged<V> = [Json] extends [V] ? V : MergedIn<V>
type MergedIn<V> = V extends readonly unknown[] ? V : V extends object ? MergePatch<V> : V

type ConnectionOf<S extends Schema> = NonNullable<S['connections']>[number]

/** Verbs that lead from a collection. */
export type VerbFrom<S extends Schema, C, L = ConnectionOf<S>> = L extends Connection
  ? C extends L['from']
    ? L['verb']
    : never
  : never

/** Verbs that lead to a collection. */
export type VerbTo<S extends Schema, C, L = ConnectionOf<S>> = L extends Connection
  ? C extends L['to']
    ? L['verb']
    : never
  : never

/** Collections that a verb leads to from a collection. */
export type TargetOf<S extends Schema, C, V, L = ConnectionOf<S>> = L extends Connection
  ? C extends L['from']
    ? V extends L['verb']
      ? L['to']
      : never
    : never
  : never

/** Collections from which a verb leads to a collection. */
export type SourceOf<S extends Schema, C, V, L = ConnectionOf<S>> = L extends Connection
  ? C extends L['to']
    ? V extends L['verb']
      ? L['from']
      : never
    : never
  : never
