import type { Application } from '../api/caller.js'
import { Dispatcher } from '../api/dispatch.js'
import type { ApiReply } from '../api/request.js'
import type { AppCall } from '../api/route.js'
import { accessRoute, Explanations } from '../features/access/index.js'
import type { AccountDesk } from '../features/accounts/index.js'
import { keyRoutes, passwordProof, signInRoutes, tokenRoutes } from '../features/auth/index.js'
import {
  administrationRoutes,
  appEnvelope,
  batchRoute,
  type CollectionAdministration,
  collectionsDoor,
  Renderer,
  type SessionDoors,
} from '../features/collections/index.js'
import { factorRoutes } from '../features/factors/index.js'
import {
  Administrators,
  adminRoutes,
  applicationRoutes,
  feedRoutes,
  MANAGEMENT,
  managed,
  memberRoutes,
  membershipRoutes,
  organizationRoutes,
  ownAdmin,
} from '../features/organizations/index.js'
import { openProviders } from '../features/providers/index.js'
import { DEFAULT_RATES, openRates } from '../features/rates/index.js'
import { permissionRoutes } from '../features/roles/index.js'
import { ownOrAdmins, pinnedUser, userRoutes } from '../features/users/index.js'
import type { Base } from './base.js'
import type { SignInDesk } from './sign-in.js'
import { describeOwner } from './token-owner.js'

export interface Rooms {
  base: Base
  signIn: SignInDesk
  accounts: AccountDesk
  collections: SessionDoors
  administration: CollectionAdministration
}

/** Every endpoint, and the way to it. Of routes that fit a path, the first one answers. */
export const openDispatcher = ({
  base,
  signIn,
  accounts,
  collections,
  administration,
}: Rooms): Dispatcher => {
  const { options, log, clock, limits, secret, engine, organizations, admins, roles, grants } = base
  const { passwords, forget } = base
  const { authenticator, tokens, verify, factors, steps, passkeySignIn, keys } = signIn
  const management = MANAGEMENT.id
  const renderer = new Renderer(engine)
  const properties = async (app: Application) => (await organizations.entityOf(app)).object
  const signing = tokenRoutes({
    tokens,
    properties,
    describe: (owner) =>
      describeOwner(owner, {
        organizations,
        admins,
        grants,
        passwordChanged: (admin) => passwords.changedAt(engine, admin),
      }),
    user: (app, ref) => engine.get(app.id, 'users', ref),
  })
  const factorDoors = factorRoutes({
    ...{ engine, factors, steps, passkeySignIn, tokens, signing, verify, properties, management },
    administrator: (call) => ownAdmin(engine, call),
  })
  const providers = openProviders({
    ...{ engine, secret, clock, management: MANAGEMENT, tokens, steps, signing },
    prove: passwordProof({ engine, management, verify }),
    confirming: (app) => accounts.confirming(app),
    publicUrl: options.publicUrl,
    allowPrivateNetworks: options.allowPrivateNetworks === true,
    warn: (fields, message) => log.warn(fields, message),
  })
  signIn.grantTypes.set('authorization_code', providers.grant)
  const doors = { organizations, engine, registration: accounts.registration }

  const appRoutes = [
    ...applicationRoutes(organizations, engine),
    ...signing.app,
    ...signInRoutes<AppCall>({ tokens, whose: (call) => ownOrAdmins({ engine }, call), reply: appEnvelope }),
    ...permissionRoutes(roles),
    ...accounts.appRoutes(tokens),
    ...userRoutes({ engine, passwords, tokens, verify, renderer, changed: forget }),
    ...factorDoors.app,
    ...providers.app,
    ...administrationRoutes(administration),
    batchRoute({ ...collections, renderer }),
  ]
  const managementRoutes = [
    ...organizationRoutes(doors),
    ...memberRoutes(doors),
    ...accounts.managementRoutes(doors),
    ...adminRoutes({
      ...doors,
      administrators: new Administrators({ engine, admins }),
      passwords,
      tokens,
      verify,
    }),
    ...membershipRoutes(doors),
    ...feedRoutes(doors),
    ...signing.management,
    ...signInRoutes({ tokens, whose: (call) => ownAdmin(engine, call), reply: managed }),
    ...factorDoors.management,
    ...providers.management,
  ]
  const explanations = new Explanations({
    engine,
    collections: collections.collections,
    grants,
    callerFor: (principal, app) => authenticator.callerFor(principal, app),
    routes: appRoutes,
  })
  return new Dispatcher({
    openRoutes: keyRoutes(keys),
    managementRoutes,
    appRoutes: [...appRoutes, accessRoute(explanations)],
    collections: collectionsDoor({ ...collections, renderer }) as (call: AppCall) => Promise<ApiReply>,
    resolve: (organization, application) => organizations.resolve(organization, application),
    resolveUuid: (uuid) => organizations.resolveUuid(uuid),
    forced: pinnedUser(engine),
    authenticate: (request, params, app) => authenticator.authenticate(request, params, app),
    limits,
    rates: openRates({
      limits: { ...DEFAULT_RATES, ...options.rates },
      client: base.shared,
      clock,
      onError: (err) => log.warn({ err }, 'rates are counted in this process alone for a while'),
    }),
    clock,
    report: (err, errorId) => log.error({ err, errorId }, 'internal error'),
  })
}
