export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

/** Properties of an entity about which no schema says anything. */
export interface Untyped {
  [property: string]: Json | undefined
}
