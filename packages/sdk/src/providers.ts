// Imports nothing: it is loaded by itself, and what it shared would have to be apart, too.

/** A sign-in that goes on at a provider. Keep it, in `sessionStorage` for instance, until the browser is back. */
export interface PendingSignIn {
  /** Where to send the browser. */
  url: string
  redirectUri: string
  state: string
  /** Proves that who comes back is who was sent (PKCE, RFC 7636). */
  verifier: string
}

/** Where a sign-in begins that comes back to `redirectUri`. */
export const beginAt = async (
  start: string,
  redirectUri: string,
  more: Record<string, string> = {},
): Promise<PendingSignIn> => {
  const [state, verifier] = [random(), random()]
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  const query = new URLSearchParams({
    ...more,
    redirect_uri: redirectUri,
    state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  })
  return { url: `${start}?${query}`, redirectUri, state, verifier }
}

/** What the browser came back with: a grant, or why there is none. */
export const grantOf = (
  address: string,
  { redirectUri, state, verifier }: PendingSignIn,
): { grant: object } | { refusal: { code: string; message: string } } => {
  const { searchParams: returned } = new URL(address, redirectUri)
  if (returned.get('state') !== state)
    return { refusal: { code: 'state_mismatch', message: 'Another sign-in has come back' } }
  const code = returned.get('error')
  if (code !== null) return { refusal: { code, message: returned.get('error_description') ?? code } }
  return {
    grant: {
      grant_type: 'authorization_code',
      code: returned.get('code'),
      redirect_uri: redirectUri,
      code_verifier: verifier,
    },
  }
}

/** 256 bits. */
const random = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)))

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (sign) => ({ '+': '-', '/': '_' })[sign] ?? '')
