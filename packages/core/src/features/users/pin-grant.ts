import { badCredentials, type GrantType, type PasswordGrantOptions, passwordProof } from '../auth/index.js'

/** `grant_type=pin`, for users of an application. `verify` checks pins. */
export const pinGrant = (options: PasswordGrantOptions): GrantType => {
  const prove = passwordProof(options)
  return async (request, tokens) => {
    const { fields, app, asked } = request
    if (app === null) throw badCredentials()
    const { user, revoked } = await prove(
      { ...request, fields: { ...fields, password: fields['pin'] ?? null } },
      tokens,
    )
    return tokens.signIn(user, app, { ...asked, how: 'pin', revoked, fields })
  }
}
