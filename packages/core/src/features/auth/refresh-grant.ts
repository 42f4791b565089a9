import type { GrantType } from './grant.js'

/** `grant_type=refresh_token`: goes on with a sign-in that asked for a refresh token. */
export const refreshGrant: GrantType = ({ fields, app, asked }, tokens) =>
  tokens.renew(fields['refresh_token'], app, asked)
