import { readFileSync } from 'node:fs'
import type { Application, Caller } from './api/caller.js'
import type { Dispatcher } from './api/dispatch.js'
import type { Principal } from './api/principal.js'
import type { ApiReply, ApiRequest } from './api/request.js'
import type { Limits } from './domain/limits.js'
import { AccountDesk } from './features/accounts/index.js'
import {
  CollectionAdministration,
  Collections,
  PathReader,
  Session,
  type SessionDoors,
} from './features/collections/index.js'
import { LogMailer, Outbox } from './features/mail/index.js'
import { type Bootstrapped, bootstrap, type FirstStart } from './features/organizations/index.js'
import type { EngineOptions } from './options.js'
import type { SqlDatabase } from './storage/typeorm/connection.js'
import { openDatabase } from './storage/typeorm/open-database.js'
import { type Base, openBase } from './wiring/base.js'
import { OtherWriters } from './wiring/other-writers.js'
import { openDispatcher } from './wiring/routes.js'
import { openSignIn, type SignInDesk } from './wiring/sign-in.js'

const DAY = 86_400_000
const HOUR = 3_600_000

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
  readonly #base: Base
  readonly #signIn: SignInDesk
  readonly #collections: SessionDoors
  readonly #administration: CollectionAdministration
  readonly #outbox: Outbox
  readonly #dispatcher: Dispatcher
  readonly #retention: NodeJS.Timeout
  readonly #otherWriters: OtherWriters | null
  #running = 0
  #whenIdle: (() => void)[] = []

  constructor(database: SqlDatabase, options: EngineOptions) {
    const base = openBase(database, options, () => accounts)
    const signIn = openSignIn(base)
    const { engine, log, forget } = base
    const outbox = new Outbox({ mailer: options.mailer ?? new LogMailer(log), log })
    const accounts = new AccountDesk({
      ...base,
      pins: signIn.pins,
      outbox,
      publicUrl: options.publicUrl,
      registration: options.registration ?? {},
      captcha: options.captcha,
      warn: (message) => log.warn({}, message),
    })
    const paths = new PathReader(engine)
    this.#collections = { engine, collections: new Collections(engine, paths, forget), paths }
    this.#administration = new CollectionAdministration(engine, base.clock, forget)
    this.#dispatcher = openDispatcher({
      base,
      signIn,
      accounts,
      collections: this.#collections,
      administration: this.#administration,
    })
    this.limits = base.limits
    this.#base = base
    this.#signIn = signIn
    this.#outbox = outbox
    const { changeLogRetention = 7 * DAY } = options
    this.#retention = setInterval(() => void this.#prune(changeLogRetention), HOUR).unref()
    const { mark } = database
    this.#otherWriters =
      mark === undefined ? null : new OtherWriters({ mark, forget: () => this.#forget(), log })
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
    const resolve = () => this.#base.organizations.resolve(organization, application)
    return new AppDoor(this.#collections, resolve, (principal, app) =>
      this.#signIn.authenticator.callerFor(principal, app),
    )
  }

  /** Makes the first administrator and organization, with its sandbox, unless they are there. */
  bootstrap(first: FirstStart): Promise<Bootstrapped> {
    return bootstrap(this.#base, first)
  }

  /**
   * Makes a new key that signs access tokens from now on, and resolves with its id. Tokens by older keys stay good until
   * they are over, or, with `forgetting`, are refused from now on.
   * @throws {Error} where tokens are not signed with a key pair
   */
  async rotateKeys(options: { forgetting?: boolean } = {}): Promise<string> {
    const { keys, isKeyed } = this.#signIn
    if (!isKeyed)
      throw new Error(
        'There is no key to rotate: tokens are not signed with one here. See the option "signing"',
      )
    return keys.rotate(options)
  }

  /** Rejects when the database does not answer. */
  ready(): Promise<void> {
    return this.#base.store.ping()
  }

  /** Lets running requests, mails and jobs finish, then closes the database. */
  async close(): Promise<void> {
    clearInterval(this.#retention)
    if (this.#running > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    await this.#administration.drained()
    await this.#outbox.close()
    await this.#otherWriters?.stop()
    await this.#base.store.close()
  }

  async #prune(retention: number): Promise<void> {
    const { store, attempts, clock, log } = this.#base
    const now = clock()
    try {
      await store.pruneChanges(now - retention)
      await store.pruneReplies(now)
      await this.#signIn.opaque?.removeExpired(now)
      await attempts.prune(now)
    } catch (err) {
      log.warn({ err }, 'what is out of date could not be removed; trying again in an hour')
    }
  }

  #forget(): void {
    const { grants, admins, clients, organizations } = this.#base
    grants.forgetAll()
    admins.forget()
    clients.forget()
    organizations.forget()
    this.#signIn.opaque?.forget()
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
