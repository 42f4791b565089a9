import {
  Authenticator,
  clientGrant,
  GoodAddresses,
  type GrantType,
  KeyedTokens,
  OpaqueTokens,
  passwordGrant,
  RefreshTokens,
  refreshGrant,
  type SignIn,
  SignIns,
  SigningKeys,
  secretBox,
  Tokens,
} from '../features/auth/index.js'
import { openFactors } from '../features/factors/index.js'
import { MANAGEMENT } from '../features/organizations/index.js'
import { Pins, pinGrant } from '../features/users/index.js'
import type { StoredEntity } from '../storage/store.js'
import type { Base } from './base.js'

/** How people and programs prove who they are, and what they get for it. */
export type SignInDesk = ReturnType<typeof openSignIn>

export const openSignIn = (base: Base) => {
  const { options, log, clock, secret, isUsergrid, attempts, maxAge, records, forget } = base
  const { engine, passwords, grants, admins, clients, organizations } = base
  const management = MANAGEMENT.id
  const opaque = isUsergrid ? new OpaqueTokens({ engine, home: management, clock, maxAge }) : null
  const { algorithm = 'HS256' } = options.signing ?? {}
  const keys = new SigningKeys({
    engine,
    home: management,
    box: secretBox(secret, 'signing keys'),
    algorithm: algorithm === 'RS256' ? algorithm : 'ES256',
    clock,
  })
  const accessTokens = opaque ?? new KeyedTokens({ secret, keys, algorithm })

  const isPassword = (user: StoredEntity | null, text: string) => passwords.verify(engine, user, text)
  const pins = new Pins({
    engine,
    secret,
    minLength: isUsergrid ? 4 : 6,
    cost: options.passwordCost,
    clock,
  })
  const isPin = (user: StoredEntity | null, text: string) => pins.verify(user, text)
  const counting = { attempts, addresses: new GoodAddresses({ engine, secret, clock }), secret, clock }
  const signIns = new SignIns({ ...counting, verify: isPassword })
  // Pins count with passwords: who guesses both guesses no more often.
  const pinSignIns = new SignIns({ ...counting, verify: isPin })
  // The original neither slowed nor locked.
  const verify = isUsergrid
    ? ({ user, password }: SignIn) => isPassword(user, password)
    : (signIn: SignIn) => signIns.check(signIn)
  const verifyPin = isUsergrid
    ? ({ user, password }: SignIn) => isPin(user, password)
    : (signIn: SignIn) => pinSignIns.check(signIn)
  const client = (id: string, clientSecret: string) => organizations.client(id, clientSecret)
  const clientFailed = async (network: string | undefined) => {
    if (!isUsergrid) await signIns.clientFailed(network)
  }

  const { factors, steps, passkeySignIn } = openFactors({
    engine,
    secret,
    clock,
    management,
    passkeys: options.passkeys,
    publicUrl: options.publicUrl,
    count: (codeTry) => signIns.checkCode(codeTry),
    organizationsOf: (admin) => organizations.members.askingOf(admin),
    forget,
  })
  const grantTypes = new Map<string, GrantType>([
    ['password', passwordGrant({ engine, management, verify })],
    ['pin', pinGrant({ engine, management, verify: verifyPin })],
    ['client_credentials', clientGrant({ client, failed: clientFailed })],
    ['second_factor', steps.secondFactorGrant],
    ['passkey', passkeySignIn.grant],
    ['refresh_token', refreshGrant],
  ])
  const tokens = new Tokens({
    engine,
    tokens: accessTokens,
    records,
    refreshTokens: new RefreshTokens(secret),
    replayed: ({ uuid }, signIn) =>
      log.warn({ user: uuid, signIn }, 'a refresh token was used twice: its sign-in was ended'),
    grants: grantTypes,
    management,
    clock,
    forget,
    secondStep: (...signIn) => steps.demand(...signIn),
    renewing: (user, app) => steps.checkRenewal(user, app),
  })
  const sysadmin = async (username: string, password: string, network: string | undefined) => {
    const user = await engine.find(management, 'users', username)
    const isRight = await verify({ app: management, ref: username, user, password, network })
    if (!isRight || user === null) return null
    if ((await admins.get(user.uuid))?.isSysadmin !== true) return null
    await steps.checkNone(user, null)
    return user.uuid
  }
  const authenticator = new Authenticator({
    tokens: accessTokens,
    accounts: {
      admin: (uuid) => admins.get(uuid),
      client,
      clientSince: (collection, uuid) => clients.tokensSince(collection, uuid),
      clientFailed,
      sysadmin,
    },
    grants,
    enrols: (token, app) => steps.enrols(token, app),
    localSysadmins: options.sysadmins === 'local',
    clock,
  })
  return {
    authenticator,
    tokens,
    grantTypes,
    verify,
    pins,
    factors,
    steps,
    passkeySignIn,
    keys,
    /** Whether access tokens are signed with key pairs. */
    isKeyed: !isUsergrid && algorithm !== 'HS256',
    /** Tokens that are kept in the database, in compatibility mode. */
    opaque,
  }
}
