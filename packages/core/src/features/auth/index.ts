export { AccessTokens, type Claims, expiresIn } from './access-token.js'
export { type AdminState, Authenticator } from './authenticator.js'
export { GoodAddresses } from './good-addresses.js'
export { OpaqueTokens } from './opaque-tokens.js'
export { type HashCost, hashPassword, verifyAgainstNothing, verifyPassword } from './password-hash.js'
export {
  checkPassword,
  DEFAULT_PASSWORD_POLICY,
  type PasswordPolicy,
  USERGRID_PASSWORD_POLICY,
} from './password-policy.js'
export { tokenRoutes } from './routes.js'
export { type SecretBox, secretBox } from './secret-box.js'
export { type SignIn, SignIns } from './sign-ins.js'
export { readMilliseconds, Tokens } from './tokens.js'
