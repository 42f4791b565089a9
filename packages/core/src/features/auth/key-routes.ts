import type { Call, Route } from '../../api/route.js'
import { route } from '../../api/route.js'
import type { SigningKeys } from './signing-keys.js'

/** How long (seconds) others may keep the keys; they should ask again when a token names one that they do not know. */
const KEPT = 300

/** The public keys by which others verify our tokens (RFC 7517); none while tokens are signed with the secret. */
export const keyRoutes = (keys: SigningKeys): Route<Call>[] => [
  route('GET', '.well-known/jwks.json', async () => ({
    status: 200,
    body: JSON.stringify(await keys.published()),
    headers: { 'Cache-Control': `public, max-age=${KEPT}` },
  })),
]
