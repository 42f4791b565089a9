export { type AdminState, Authenticator } from './authenticator.js'
export { type Claims, expiresIn } from './claims.js'
export { clientGrant } from './client-grant.js'
export { GoodAddresses } from './good-addresses.js'
export {
  type Asked,
  badCredentials,
  type Grant,
  type GrantRequest,
  type GrantType,
  type TokenApplication,
} from './grant.js'
export { keyRoutes } from './key-routes.js'
export { KeyedTokens, type SigningAlgorithm } from './keyed-tokens.js'
export { readMilliseconds } from './lifetimes.js'
export { NOBODY } from './nobody.js'
export { OpaqueTokens } from './opaque-tokens.js'
export {
  type PasswordGrantOptions,
  type PasswordProof,
  type Proven,
  passwordGrant,
  passwordProof,
} from './password-grant.js'
export { type HashCost, hashPassword, verifyAgainstNothing, verifyPassword } from './password-hash.js'
export {
  checkPassword,
  DEFAULT_PASSWORD_POLICY,
  madeUpPassword,
  type PasswordPolicy,
  passwordPolicyOf,
  USERGRID_PASSWORD_POLICY,
} from './password-policy.js'
export { refreshGrant } from './refresh-grant.js'
export { RefreshTokens } from './refresh-tokens.js'
export { type TokenRoutes, tokenRoutes } from './routes.js'
export { deriveKey, type SecretBox, secretBox } from './secret-box.js'
export { type KeptToken, SignInRecords } from './sign-in-records.js'
export { signInRoutes } from './sign-in-routes.js'
export { type CodeTry, type SignIn, SignIns } from './sign-ins.js'
export { SigningKeys } from './signing-keys.js'
export { type SigningIn, Tokens } from './tokens.js'
