import { builtInDescriptors } from '../built-in.js'
import { limitsOf } from '../domain/limits.js'
import { Descriptors } from '../engine/descriptor.js'
import { Engine } from '../engine/engine.js'
import type { AccountDesk } from '../features/accounts/index.js'
import {
  DEFAULT_PASSWORD_POLICY,
  passwordPolicyOf,
  SignInRecords,
  secretBox,
  USERGRID_PASSWORD_POLICY,
} from '../features/auth/index.js'
import { AdminSource, ClientSource, MANAGEMENT, Organizations } from '../features/organizations/index.js'
import { CLOSED_ROLES, GrantsSource, Roles, USERGRID_ROLES } from '../features/roles/index.js'
import { Passwords } from '../features/users/index.js'
import { type EngineOptions, SILENT, secretOf } from '../options.js'
import { type AttemptStore, MemoryAttempts } from '../storage/attempts.js'
import type { SqlDatabase } from '../storage/typeorm/connection.js'
import { SharedCounts } from '../storage/typeorm/postgres/shared-counts.js'
import { openStore } from './store.js'

/** How old what this process remembers of users and applications may be, where others write too. */
const SHARED_AGE = 1000

/** What everything else stands on: entities, who may do what, and whose they are. */
export type Base = ReturnType<typeof openBase>

/** `accounts` is there by the time of the first request. */
export const openBase = (database: SqlDatabase, options: EngineOptions, accounts: () => AccountDesk) => {
  const { log = SILENT, clock = Date.now } = options
  const limits = limitsOf(options.limits)
  const secret = secretOf(options.secret)
  const isUsergrid = options.compatibility === 'usergrid'
  const shared = database.dialect === 'postgres' ? new SharedCounts(database) : null
  const attempts: AttemptStore = shared ?? new MemoryAttempts()
  // Another process that writes to the same SQLite file is noticed, see `OtherWriters`.
  const maxAge = database.dialect === 'sqlite' ? Number.POSITIVE_INFINITY : SHARED_AGE
  const policy = isUsergrid ? USERGRID_PASSWORD_POLICY : DEFAULT_PASSWORD_POLICY
  const policies = {
    users: passwordPolicyOf(policy, options.passwordPolicy?.users),
    admins: passwordPolicyOf(policy, options.passwordPolicy?.admins),
  }
  const records = new SignInRecords(secretBox(secret, 'sign-ins'))
  const passwords = new Passwords({
    policy: (app) => (app === MANAGEMENT.id ? policies.admins : policies.users),
    history: (user): Promise<number> =>
      user.app === MANAGEMENT.id ? organizations.passwordHistory(user) : Promise.resolve(0),
    cost: options.passwordCost,
    records,
  })
  const descriptors = new Descriptors(
    builtInDescriptors({
      pictureScheme: isUsergrid ? 'http' : 'https',
      secure: (body, app) => accounts().secureUser(body, app),
      readdressed: (edits, user) => accounts().readdress(edits, user),
    }),
    limits,
  )
  const store = openStore(database, descriptors, { clock, log })
  const engine = new Engine(store, descriptors)
  const grants = new GrantsSource({ engine, clock, maxAge })
  const admins = new AdminSource({ engine, clock, maxAge })
  const clients = new ClientSource({ engine, clock, maxAge })
  const roles = new Roles(engine, grants)
  const organizations = new Organizations({
    engine,
    roles,
    passwords,
    admins,
    clients,
    box: secretBox(secret, 'client secrets'),
    firstRoles: isUsergrid ? USERGRID_ROLES : CLOSED_ROLES,
    clock,
    maxAge,
  })
  return {
    options,
    log,
    clock,
    limits,
    secret,
    isUsergrid,
    shared,
    attempts,
    maxAge,
    records,
    passwords,
    store,
    engine,
    grants,
    admins,
    clients,
    roles,
    organizations,
    /** Forgets what is remembered of an application's users, or of administrators. */
    forget: (app: number): void => (app === MANAGEMENT.id ? admins.forget() : grants.forget(app)),
  }
}
