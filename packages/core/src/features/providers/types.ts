/** An OpenID provider that users of an application sign in with. */
export interface Provider {
  /** Lower case. */
  name: string
  issuer: string
  clientId: string
  /** `null` for a client that has none. */
  clientSecret: string | null
  scopes: readonly string[]
  /** Whether people who have no account yet get one. */
  signUp: boolean
}

/** What a provider says of somebody, as far as it can be believed. */
export interface Profile {
  issuer: string
  /** The provider's name for him, which never changes and is never given to somebody else. */
  subject: string
  /** Only an address that the provider has verified. */
  email: string | null
  name: string | null
  picture: string | null
}
