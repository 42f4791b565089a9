/** What the server writes about an entity. Its maps lead from names to paths below the application. */
export interface Metadata {
  path: string
  size?: number
  /** Verbs of connections from this entity. */
  connections?: Record<string, string>
  /** Verbs of connections to this entity. */
  connecting?: Record<string, string>
  collections?: Record<string, string>
  sets?: Record<string, string>
  /** Metres, in the replies to queries by distance. */
  distance?: number
}

/** Properties of every entity. All but the name are the server's. */
export interface SystemProperties {
  uuid: string
  /** Singular of its collection: `dog`. */
  type: string
  name?: string
  /** UTC milliseconds. */
  created: number
  /** UTC milliseconds. */
  modified: number
}

declare const COLLECTION: unique symbol

/** An entity as it was when it was read: a plain object. Its collection `C` is known to the compiler only. */
export type Entity<P = unknown, C extends string = string> = P &
  SystemProperties & { metadata: Metadata } & { readonly [COLLECTION]?: C }

/** An entity by its uuid, by its name (users: username or e-mail address), or at hand. */
export type Ref = string | { readonly uuid: string }

/** An entity anywhere in an application. */
export type Place<C extends string = string> =
  | { readonly collection: C; readonly ref: Ref }
  | { readonly uuid: string; readonly type: string; readonly [COLLECTION]?: C }

/** The built-in properties of users. Add your own: `collection<UserProperties & { city?: string }>()`. */
export interface UserProperties {
  username: string
  email?: string
  activated?: boolean
  disabled?: boolean
  picture?: string
}

/** What only a new user may be given; it is never sent back. */
export interface NewUserProperties {
  password?: string
}

/**
 * A name as one segment of a path.
 * @throws {TypeError} for names that mean something else there: "" and "all" the whole collection, "{..." a
 * query, and "." and ".." other paths, even when percent-encoded (WHATWG URL, 4.4).
 */
export const segment = (name: string): string => {
  if (typeof name !== 'string' || /^(|\.{1,2}|all|\{.*)$/is.test(name))
    throw new TypeError(`Not usable as a name in a path: "${name}"`)
  return encodeURIComponent(name)
}

export const segmentOf = (ref: Ref): string => segment(typeof ref === 'string' ? ref : ref.uuid)

/** `/dogs/fido`. Singular and plural of a collection mean the same in a path. */
export const pathOf = (place: Place): string =>
  // Asked in this order because an entity may have a property named `collection`.
  'uuid' in place
    ? `/${segment(place.type)}/${segmentOf(place)}`
    : `/${segment(place.collection)}/${segmentOf(place.ref)}`
