import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Application, Caller } from './api/caller.js'
import { Dispatcher } from './api/dispatch.js'
import type { Principal } from './api/principal.js'
import type { ApiReply, ApiRequest } from './api/request.js'
import type { AppCall } from './api/route.js'
import { builtInDescriptors } from './built-in.js'
import type { JsonObject } from './domain/json.js'
import { type Limits, limitsOf } from './domain/limits.js'
import { Descriptors } from './engine/descriptor.js'
import { Engine as Entities } from './engine/engine.js'
import { accessRoute, Explanations } from './features/access/index.js'
import { AccountDesk, type Captcha, type RegistrationOptions } from './features/accounts/index.js'
import {
  Authenticator,
  clientGrant,
  DEFAULT_PASSWORD_POLICY,
  GoodAddresses,
  type GrantType,
  type HashCost,
  KeyedTokens,
  keyRoutes,
  OpaqueTokens,
  type PasswordPolicy,
  passwordGrant,
  passwordPolicyOf,
  passwordProof,
  RefreshTokens,
  refreshGrant,
  type SignIn,
  SignInRecords,
  SignIns,
  type SigningAlgorithm,
  SigningKeys,
  secretBox,
  signInRoutes,
  Tokens,
  tokenRoutes,
  USERGRID_PASSWORD_POLICY,
} from './features/auth/index.js'
import {
  administrationRoutes,
  appEnvelope,
  batchRoute,
  CollectionAdministration,
  Collections,
  collectionsDoor,
  PathReader,
  Renderer,
  Session,
  type SessionDoors,
} from './features/collections/index.js'
import { factorRoutes, openFactors, type PasskeySettings } from './features/factors/index.js'
import { LogMailer, type Mailer, Outbox } from './features/mail/index.js'
import {
  Administrators,
  AdminSource,
  adminRoutes,
  applicationRoutes,
  type Bootstrapped,
  bootstrap,
  ClientSource,
  type FirstStart,
  feedRoutes,
  MANAGEMENT,
  managed,
  memberRoutes,
  membershipRoutes,
  Organizations,
  organizationRoutes,
  ownAdmin,
  showAdmin,
  showApplications,
  showOrganization,
  wholeOrganization,
} from './features/organizations/index.js'
import { openProviders } from './features/providers/index.js'
import { DEFAULT_RATES, openRates, type RateLimits } from './features/rates/index.js'
import {
  CLOSED_ROLES,
  GrantsSource,
  permissionRoutes,
  Roles,
  USERGRID_ROLES,
} from './features/roles/index.js'
import { ownOrAdmins, Passwords, Pins, pinGrant, pinnedUser, userRoutes } from './features/users/index.js'
import { type AttemptStore, MemoryAttempts } from './storage/attempts.js'
import type { StoredEntity } from './storage/store.js'
import type { SqlDatabase } from './storage/typeorm/connection.js'
import { type DatabaseOptions, openDatabase } from './storage/typeorm/open-database.js'
import { SharedCounts } from './storage/typeorm/postgres/shared-counts.js'
import { SqlStore } from './storage/typeorm/sql-store.js'
import { adviceOn } from './storage/typeorm/sqlite/file-trouble.js'

/** Where the engine writes what operators should know; a pino logger fits. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface EngineOptions extends DatabaseOptions {
  /** `sqlite:./data/entigrid.db`, `sqlite::memory:` or `postgres://...` */
  database: string
  /**
   * Key material for tokens and stored secrets, at least 32 characters; the same in every process and at
   * every start. Without it tokens end with the process, and client secrets cannot be read again.
   */
  secret?: string | undefined
  /** `usergrid` restores the original's open or odd defaults, and nothing else. */
  compatibility?: 'usergrid' | undefined
  /**
   * What access tokens are signed with: by default the secret (`HS256`), or a key pair, by whose public part others may
   * verify them. It has no effect in compatibility mode, whose tokens say nothing.
   */
  signing?: { algorithm: SigningAlgorithm } | undefined
  log?: Log | undefined
  /** UTC milliseconds. */
  clock?: (() => number) | undefined
  /** What a request may ask for, over HTTP and in process; see `LIMITS`. */
  limits?: Partial<Limits> | undefined
  /** Operations that are answered in a minute; 0 does not limit. See `DEFAULT_RATES`. */
  rates?: Partial<RateLimits> | undefined
  /** How long the change log is kept, in milliseconds; seven days by default. */
  changeLogRetention?: number | undefined
  /** Where passkeys of administrators work, and of users whose application does not say. */
  passkeys?: PasskeySettings | undefined
  /** Sends mails; by default they are written to the log, with their links. */
  mailer?: Mailer | undefined
  /** Where clients reach the server, for links in mails and for browsers that come back. No link is sent without it. */
  publicUrl?: string | undefined
  /** Lets requests to OpenID providers go to private networks, and over plain HTTP; see `guardedFetch`. */
  allowPrivateNetworks?: boolean | undefined
  /** How administrators and organizations begin. */
  registration?: RegistrationOptions | undefined
  /** Asked on pages that send mails. */
  captcha?: Captcha | undefined
  /** From where system administrators are let in: `local` is the machine of the server. */
  sysadmins?: 'anywhere' | 'local' | undefined
  /** What new passwords must have, of users of applications and of administrators; eight characters by default. */
  passwordPolicy?: { users?: Partial<PasswordPolicy>; admins?: Partial<PasswordPolicy> } | undefined
  /** Cost of password hashes; for tests. */
  passwordCost?: HashCost | undefined
}

const DAY = 86_400_000
const HOUR = 3_600_000
/** How old what this process remembers of users and applications may be, where others write too. */
const SHARED_AGE = 1000
const SILENT: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/**
 * Opens the engine on a database, bringing its schema up to date.
 * @throws {NewerSchemaError} and errors of one line that say what to do.
 */
export const openEngine = async (options: EngineOptions): Promise<Engine> => {
  const database = await openDatabase(options.database, options)
  return new Engine(database, options)
}

/** Entities, users and rights of many applications on one database, without HTTP. */
export class Engine {
  readonly version = version
  readonly limits: Limits
  readonly #store: SqlStore
  readonly #entities: Entities
  readonly #keys: SigningKeys | null
  readonly #organizations: Organizations
  readonly #authenticator: Authenticator
  readonly #collections: SessionDoors
  readonly #administration: CollectionAdministration
  readonly #dispatcher: Dispatcher
  readonly #bootstrapOptions: Parameters<typeof bootstrap>[0]
  readonly #retention: NodeJS.Timeout
  readonly #outbox: Outbox
  #running = 0
  #whenIdle: (() => void)[] = []

  constructor(database: SqlDatabase, options: EngineOptions) {
    const { log = SILENT, clock = Date.now, compatibility, changeLogRetention = 7 * DAY } = options
    const limits = limitsOf(options.limits)
    const shared = database.dialect === 'postgres' ? new SharedCounts(database) : null
    const secret = secretOf(options.secret)
    const usergrid = compatibility === 'usergrid'
    const maxAge = database.dialect === 'sqlite' ? Number.POSITIVE_INFINITY : SHARED_AGE
    const records = new SignInRecords(secretBox(secret, 'sign-ins'))
    const policy = usergrid ? USERGRID_PASSWORD_POLICY : DEFAULT_PASSWORD_POLICY
    const policies = {
      users: passwordPolicyOf(policy, options.passwordPolicy?.users),
      admins: passwordPolicyOf(policy, options.passwordPolicy?.admins),
    }
    const passwords = new Passwords({
      policy: (app) => (app === MANAGEMENT.id ? policies.admins : policies.users),
      history: (user): Promise<number> =>
        user.app === MANAGEMENT.id ? organizations.passwordHistory(user) : Promise.resolve(0),
      cost: options.passwordCost,
      records,
    })
    const descriptors = new Descriptors(
      builtInDescriptors({
        pictureScheme: usergrid ? 'http' : 'https',
        secure: (body, app) => accounts.secureUser(body, app),
        readdressed: (edits, user) => accounts.readdress(edits, user),
      }),
      limits,
    )
    const store = new SqlStore({
      database,
      clock,
      uniqueProperties: (collection) => descriptors.of(collection).unique,
      maxExamined: limits.examined,
      onSlowListing: (listing) =>
        log.warn(
          listing,
          'a query looked at many entities: add an index for it with the setting "indexes" of its collection',
        ),
      onUnavailable: (err) => {
        const advice = adviceOn(err)
        if (advice === null) log.warn({ err }, 'the database is not available')
        else log.error({ err }, `the database file cannot be used: ${advice}`)
      },
    })
    const entities = new Entities(store, descriptors)
    const grants = new GrantsSource({ engine: entities, clock, maxAge })
    const admins = new AdminSource({ engine: entities, clock, maxAge })
    const roles = new Roles(entities, grants)
    const clients = new ClientSource({ engine: entities, clock, maxAge })
    const organizations = new Organizations({
      engine: entities,
      roles,
      passwords,
      admins,
      clients,
      box: secretBox(secret, 'client secrets'),
      firstRoles: usergrid ? USERGRID_ROLES : CLOSED_ROLES,
      clock,
      maxAge,
    })
    const forget = (app: number): void => (app === MANAGEMENT.id ? admins.forget() : grants.forget(app))
    const opaque = usergrid ? new OpaqueTokens({ engine: entities, home: MANAGEMENT.id, maxAge }) : null
    const { algorithm = 'HS256' } = options.signing ?? {}
    const keys = new SigningKeys({
      engine: entities,
      home: MANAGEMENT.id,
      box: secretBox(secret, 'signing keys'),
      algorithm: algorithm === 'RS256' ? algorithm : 'ES256',
      clock,
    })
    const accessTokens = opaque ?? new KeyedTokens({ secret, keys, algorithm })
    const attempts = shared ?? new MemoryAttempts()
    const isPassword = (user: StoredEntity | null, text: string) => passwords.verify(entities, user, text)
    const counting = {
      attempts,
      addresses: new GoodAddresses({ engine: entities, secret, clock }),
      secret,
      clock,
    }
    const signIns = new SignIns({ ...counting, verify: isPassword })
    const pins = new Pins({
      engine: entities,
      secret,
      minLength: usergrid ? 4 : 6,
      cost: options.passwordCost,
      clock,
    })
    const isPin = (user: StoredEntity | null, text: string) => pins.verify(user, text)
    // Pins count with passwords: who guesses both guesses no more often.
    const pinSignIns = new SignIns({ ...counting, verify: isPin })
    // The original neither slowed nor locked.
    const verify = usergrid
      ? ({ user, password }: SignIn) => isPassword(user, password)
      : (signIn: SignIn) => signIns.check(signIn)
    const verifyPin = usergrid
      ? ({ user, password }: SignIn) => isPin(user, password)
      : (signIn: SignIn) => pinSignIns.check(signIn)
    const clientFailed = async (network: string | undefined) => {
      if (!usergrid) await signIns.clientFailed(network)
    }
    const client = (id: string, clientSecret: string) => organizations.client(id, clientSecret)
    const { factors, steps, passkeySignIn } = openFactors({
      ...{ engine: entities, secret, clock, management: MANAGEMENT.id },
      passkeys: options.passkeys,
      publicUrl: options.publicUrl,
      count: (codeTry) => signIns.checkCode(codeTry),
      organizationsOf: (admin) => organizations.members.organizationsOf(admin),
    })
    const grantTypes = new Map<string, GrantType>([
      ['password', passwordGrant({ engine: entities, management: MANAGEMENT.id, verify })],
      ['pin', pinGrant({ engine: entities, management: MANAGEMENT.id, verify: verifyPin })],
      ['client_credentials', clientGrant({ client, failed: clientFailed })],
      ['second_factor', steps.secondFactorGrant],
      ['passkey', passkeySignIn.grant],
      ['refresh_token', refreshGrant],
    ])
    const tokens = new Tokens({
      engine: entities,
      tokens: accessTokens,
      records,
      refreshTokens: new RefreshTokens(secret),
      replayed: ({ uuid }, signIn) =>
        log.warn({ user: uuid, signIn }, 'a refresh token was used twice: its sign-in was ended'),
      grants: grantTypes,
      management: MANAGEMENT.id,
      clock,
      forget,
      secondStep: (...signIn) => steps.demand(...signIn),
      renewing: (user, app) => steps.checkRenewal(user, app),
    })
    const sysadmin = async (username: string, password: string, network: string | undefined) => {
      const user = await entities.find(MANAGEMENT.id, 'users', username)
      const isRight = await verify({ app: MANAGEMENT.id, ref: username, user, password, network })
      if (!isRight || user === null) return null
      if ((await admins.get(user.uuid))?.isSysadmin !== true) return null
      await steps.checkNone(user, null)
      return user.uuid
    }
    this.#authenticator = new Authenticator({
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
    const paths = new PathReader(entities)
    this.#collections = { engine: entities, collections: new Collections(entities, paths, forget), paths }
    this.#administration = new CollectionAdministration(entities, clock, forget)
    const properties = async (app: Application) => (await organizations.entityOf(app)).object
    const describe = (owner: StoredEntity) =>
      describeOwner(owner, {
        organizations,
        admins,
        grants,
        passwordChanged: (admin) => passwords.changedAt(entities, admin),
      })
    const user = (app: Application, ref: string) => entities.get(app.id, 'users', ref)
    const renderer = new Renderer(entities)
    const tokenDoors = tokenRoutes({ tokens, properties, describe, user })
    const administrators = new Administrators({ engine: entities, admins })
    const outbox = new Outbox({ mailer: options.mailer ?? new LogMailer(log), log })
    const accounts: AccountDesk = new AccountDesk({
      engine: entities,
      organizations,
      passwords,
      pins,
      outbox,
      attempts,
      secret,
      clock,
      forget,
      publicUrl: options.publicUrl,
      registration: options.registration ?? {},
      captcha: options.captcha,
      warn: (message) => log.warn({}, message),
    })
    const organizationDoors = { organizations, engine: entities, registration: accounts.registration }
    const factorDoors = factorRoutes({
      ...{ engine: entities, factors, steps, passkeySignIn, tokens, signing: tokenDoors },
      ...{ verify, properties },
      administrator: (call) => ownAdmin(entities, call),
      management: MANAGEMENT.id,
    })
    const providers = openProviders({
      ...{ engine: entities, secret, clock, management: MANAGEMENT, tokens, steps, signing: tokenDoors },
      prove: passwordProof({ engine: entities, management: MANAGEMENT.id, verify }),
      confirming: (app) => accounts.confirming(app),
      publicUrl: options.publicUrl,
      allowPrivateNetworks: options.allowPrivateNetworks === true,
      warn: (fields, message) => log.warn(fields, message),
    })
    grantTypes.set('authorization_code', providers.grant)
    const appRoutes = [
      ...applicationRoutes(organizations, entities),
      ...tokenDoors.app,
      ...signInRoutes<AppCall>({
        tokens,
        whose: (call) => ownOrAdmins({ engine: entities }, call),
        reply: appEnvelope,
      }),
      ...permissionRoutes(roles),
      ...accounts.appRoutes,
      ...userRoutes({ engine: entities, passwords, tokens, verify, renderer, changed: forget }),
      ...factorDoors.app,
      ...providers.app,
      ...administrationRoutes(this.#administration),
      batchRoute({ ...this.#collections, renderer }),
    ]
    const explanations = new Explanations({
      engine: entities,
      collections: this.#collections.collections,
      grants,
      callerFor: (principal, app) => this.#authenticator.callerFor(principal, app),
      routes: appRoutes,
    })
    this.#dispatcher = new Dispatcher({
      openRoutes: keyRoutes(keys),
      managementRoutes: [
        ...organizationRoutes(organizationDoors),
        ...memberRoutes(organizationDoors),
        ...accounts.managementRoutes(organizationDoors),
        ...adminRoutes({ ...organizationDoors, administrators, passwords, tokens, verify }),
        ...membershipRoutes(organizationDoors),
        ...feedRoutes(organizationDoors),
        ...tokenDoors.management,
        ...signInRoutes({ tokens, whose: (call) => ownAdmin(entities, call), reply: managed }),
        ...factorDoors.management,
        ...providers.management,
      ],
      appRoutes: [...appRoutes, accessRoute(explanations)],
      collections: collectionsDoor({ ...this.#collections, renderer }) as (
        call: AppCall,
      ) => Promise<ApiReply>,
      resolve: (organization, application) => organizations.resolve(organization, application),
      resolveUuid: (uuid) => organizations.resolveUuid(uuid),
      forced: pinnedUser(entities),
      authenticate: (request, params, app) => this.#authenticator.authenticate(request, params, app),
      limits,
      rates: openRates({
        limits: { ...DEFAULT_RATES, ...options.rates },
        client: shared,
        clock,
        onError: (err) => log.warn({ err }, 'rates are counted in this process alone for a while'),
      }),
      clock,
      report: (err, errorId) => log.error({ err, errorId }, 'internal error'),
    })
    this.limits = limits
    this.#store = store
    this.#outbox = outbox
    this.#entities = entities
    this.#keys = usergrid || algorithm === 'HS256' ? null : keys
    this.#organizations = organizations
    this.#bootstrapOptions = { engine: entities, organizations, passwords, admins }
    this.#retention = setInterval(
      () => void this.#prune(clock(), changeLogRetention, opaque, attempts, log),
      HOUR,
    ).unref()
  }

  /** Answers one request of the wire protocol. Never rejects: errors are replies. */
  async handle(request: ApiRequest): Promise<ApiReply> {
    this.#running++
    try {
      return await this.#dispatcher.handle(request)
    } finally {
      this.#running--
      if (this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
    }
  }

  /** The application `organization/application`, in process. Choose whom to act as. */
  app(name: string): AppDoor {
    const [organization = '', application = ''] = name.split('/')
    const resolve = () => this.#organizations.resolve(organization, application)
    return new AppDoor(this.#collections, resolve, (principal, app) =>
      this.#authenticator.callerFor(principal, app),
    )
  }

  /** Makes the first administrator and organization, with its sandbox, unless they are there. */
  bootstrap(first: FirstStart): Promise<Bootstrapped> {
    return bootstrap(this.#bootstrapOptions, first)
  }

  /**
   * Makes a new key that signs access tokens from now on, and resolves with its id. Tokens by older keys stay good until
   * they are over, or, with `forgetting`, are refused from now on.
   * @throws {Error} where tokens are not signed with a key pair
   */
  async rotateKeys(options: { forgetting?: boolean } = {}): Promise<string> {
    if (this.#keys === null)
      throw new Error(
        'There is no key to rotate: tokens are not signed with one here. See the option "signing"',
      )
    return this.#keys.rotate(options)
  }

  /** Rejects when the database does not answer. */
  ready(): Promise<void> {
    return this.#store.ping()
  }

  /** Lets running requests, mails and jobs finish, then closes the database. */
  async close(): Promise<void> {
    clearInterval(this.#retention)
    if (this.#running > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    await this.#administration.drained()
    await this.#outbox.close()
    await this.#store.close()
  }

  async #prune(
    now: number,
    retention: number,
    opaque: OpaqueTokens | null,
    attempts: AttemptStore,
    log: Log,
  ): Promise<void> {
    try {
      await this.#entities.store.pruneChanges(now - retention)
      await this.#entities.store.pruneReplies(now)
      await opaque?.removeExpired(now)
      await attempts.prune(now)
    } catch (err) {
      log.warn({ err }, 'what is out of date could not be removed; trying again in an hour')
    }
  }
}

/** An application before it is said who is asking. */
export class AppDoor {
  readonly #collections: SessionDoors
  readonly #resolve: () => Promise<Application>
  readonly #callerFor: (principal: Principal, app: Application) => Promise<Caller>

  constructor(
    collections: SessionDoors,
    resolve: () => Promise<Application>,
    callerFor: (principal: Principal, app: Application) => Promise<Caller>,
  ) {
    this.#collections = collections
    this.#resolve = resolve
    this.#callerFor = callerFor
  }

  /** Acts as a user, guest or client: the same rights are checked as over HTTP. @throws {AppError} `organization_application_not_found`. */
  async as(principal: Principal): Promise<Session> {
    const app = await this.#resolve()
    return new Session(this.#collections, app, () => this.#callerFor(principal, app))
  }

  /** Acts with all rights. `reason` is written to the change log with everything that is changed. */
  asSystem(reason: string): Promise<Session> {
    return this.as({ kind: 'system', reason })
  }
}

const secretOf = (secret: string | undefined): Buffer => {
  if (secret === undefined) return randomBytes(32)
  if (Buffer.byteLength(secret) >= 32) return Buffer.from(secret)
  throw new Error('The secret is too short: use at least 32 characters')
}

/** What a token reply tells of its owner (identity rules 2.3). */
const describeOwner = async (
  owner: StoredEntity,
  {
    organizations,
    admins,
    grants,
    passwordChanged,
  }: {
    organizations: Organizations
    admins: AdminSource
    grants: GrantsSource
    passwordChanged: (admin: StoredEntity) => Promise<number | null>
  },
): Promise<JsonObject> => {
  if (owner.collection === 'organizations')
    return { organization: await wholeOrganization(organizations, owner) }
  if (owner.collection === 'applications') return { application: owner.uuid }
  if (owner.app !== MANAGEMENT.id) {
    const hidden = (await grants.hidden(owner.app))?.get('users')
    return { user: hidden?.without(owner.object) ?? owner.object }
  }
  const memberships = (await admins.get(owner.uuid))?.organizations ?? new Set<string>()
  const own = await Promise.all([...memberships].map((uuid) => organizations.find(uuid)))
  const shown = await Promise.all(
    own
      .filter((organization) => organization !== null)
      .map(async (organization) => {
        const applications = showApplications(await organizations.applications(organization))
        return [
          String(organization.object['name']),
          { ...showOrganization(organization), applications },
        ] as const
      }),
  )
  const changed = await passwordChanged(owner)
  const user = { ...showAdmin(owner), organizations: Object.fromEntries(shown) }
  return { ...(changed === null ? {} : { passwordChanged: changed }), user }
}
