import type { Application } from '../../api/caller.js'
import type { AppCall, Call, Route } from '../../api/route.js'
import { illegalArgument, unauthorized } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { AttemptStore } from '../../storage/attempts.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Tokens } from '../auth/index.js'
import { appEnvelope } from '../collections/index.js'
import { MailTokens, type Outbox } from '../mail/index.js'
import {
  Configurations,
  MANAGEMENT,
  managed,
  type OrganizationDoors,
  type Organizations,
  ownOrganization,
  type Registration,
  toApplication,
} from '../organizations/index.js'
import { dropMailedPin, type Passwords, type Pins } from '../users/index.js'
import { AccountMails } from './account-mails.js'
import { Accounts, closedRegistration } from './accounts.js'
import { Invitations } from './invitations.js'
import { linkRoutes } from './link-routes.js'
import { Links } from './links.js'
import { MailQuota } from './mail-quota.js'
import { pinRoutes } from './pin-routes.js'
import { adminPolicy, isOpen, Realms, tenantPolicy, userPolicy } from './realms.js'
import { resetRoutes } from './reset-routes.js'
import { Resets } from './resets.js'
import type { Captcha, RegistrationOptions } from './types.js'

export interface AccountsOptions {
  engine: Engine
  organizations: Organizations
  passwords: Passwords
  pins: Pins
  outbox: Outbox
  attempts: AttemptStore
  secret: Buffer
  /** UTC milliseconds. */
  clock: () => number
  /** Called when the state of an account changed. */
  forget: (app: number) => void
  /** What links in mails begin with. */
  publicUrl: string | undefined
  registration: RegistrationOptions
  captcha: Captcha | undefined
  /** Restores that opening a link is enough. */
  isUsergrid: boolean
  warn: (message: string) => void
}

type Begin = (edits: Edits, user: StoredEntity) => void

/** How accounts begin, and how their owners come back into them. */
export class AccountDesk {
  readonly invitations: Invitations
  readonly #options: AccountsOptions
  readonly #accounts: Accounts
  readonly #resets: Resets
  readonly #mails: AccountMails
  readonly #quota: MailQuota
  readonly #realms: Realms
  /** Applications that are being read, by number: many users of one may be made at once. */
  readonly #reading = new Map<number, Promise<StoredEntity | null>>()

  /** @throws {Error} when somebody must approve and there is no address to ask at. */
  constructor(options: AccountsOptions) {
    const { engine, organizations, passwords, outbox, forget, publicUrl, registration, warn, clock } = options
    checkRegistration(registration)
    const links = new Links(publicUrl)
    const title = publicUrl === undefined ? 'Entigrid' : new URL(publicUrl).host
    const quota = new MailQuota(options)
    const mails = new AccountMails({ engine, outbox, links, quota, warn })
    this.#options = options
    this.#mails = mails
    this.#quota = quota
    this.#realms = new Realms({
      organizations,
      configurations: new Configurations(engine),
      registration,
      title,
    })
    this.#accounts = new Accounts({
      engine,
      mails,
      quota,
      notifiesOfActivation: registration.notifyOfActivation !== false,
      clock,
      forget,
    })
    const accounts = this.#accounts
    this.#resets = new Resets({ engine, passwords, accounts, mails, quota, clock, forget })
    this.invitations = new Invitations({ mails, quota, admins: this.#realms.admins })
  }

  /** What the room of organizations needs to know. */
  get registration(): Registration {
    const { registration } = this.#options
    const { admins, tenants } = this.#realms
    return {
      checkOpen: () => {
        if (registration.open === false) throw closedRegistration()
      },
      beginAdmin: (edits, admin) => this.#accounts.begin(edits, admins, admin, adminPolicy(registration)),
      beginOrganization: (edits, organization) =>
        this.#accounts.begin(edits, tenants, organization, tenantPolicy(registration)),
      added: (organization, admin, how) => this.invitations.added(organization, admin, how),
    }
  }

  /** Routes of the management plane. Those for forgotten passwords must come before `users/:user`. */
  managementRoutes(doors: OrganizationDoors): Route<Call>[] {
    const { captcha, isUsergrid: isFollowedByGet } = this.#options
    const { admins, tenants } = this.#realms
    const reply = (call: Call, action: string) => managed(call, { action })
    return [
      ...resetRoutes<Call>({ resets: this.#resets, captcha }, () => admins),
      ...linkRoutes<Call>(
        { accounts: this.#accounts, realmOf: () => admins, reply, isFollowedByGet },
        { path: 'users/:user', noun: 'user' },
      ),
      ...linkRoutes<Call>(
        { accounts: this.#accounts, realmOf: () => tenants, reply, isFollowedByGet },
        { path: 'orgs/:org', noun: 'organization', guard: (call) => ownOrganization(doors, call) },
      ),
    ]
  }

  appRoutes(tokens: Pick<Tokens, 'stillGood'>): Route<AppCall>[] {
    const { captcha, engine, pins, isUsergrid: isFollowedByGet } = this.#options
    const realmOf = ({ app }: AppCall) => this.#realms.of(app)
    const reply = (call: AppCall, action: string) => appEnvelope(call, { action })
    return [
      ...resetRoutes<AppCall>({ resets: this.#resets, captcha }, realmOf),
      ...linkRoutes<AppCall>(
        { accounts: this.#accounts, realmOf, reply, isFollowedByGet },
        { path: 'users/:user', noun: 'user' },
      ),
      ...pinRoutes({ engine, pins, tokens, mails: this.#mails, quota: this.#quota, realmOf }),
    ]
  }

  /** What must wait before a user is stored: his password and pin are hashed, and it is read how he begins. */
  async secureUser(body: JsonObject, app: number): Promise<Begin | null> {
    const { passwords, pins } = this.#options
    const { pin } = body
    const parts = await Promise.all([
      passwords.secure(body, app),
      pin === undefined || pin === null || pin === '' ? null : pins.secure(pin),
      this.#beginUser(body, app),
    ])
    const steps = parts.filter((part) => part !== null)
    if (steps.length === 0) return null
    return (edits, user) => {
      for (const step of steps) step(edits, user)
    }
  }

  /**
   * What must happen to a new user of an application, by its properties; `null` is nothing. A state that an
   * administrator gave him stays.
   */
  async #beginUser(body: JsonObject, app: number): Promise<Begin | null> {
    if (app === MANAGEMENT.id) return null
    const application = await this.#application(app)
    if (application === null) return null
    const policy = userPolicy(application.object)
    const isClosed = !isOpen(application.object)
    const isDecided = Object.keys(body).some((key) => key.toLowerCase() === 'activated')
    const isFree = isDecided || !(policy.confirm || policy.approve || policy.notify)
    if (isFree && !isClosed) return null
    const realm = this.#realms.of(toApplication(application))
    return (edits, user) => {
      if (isClosed && edits.principal === 'guest') throw unauthorized('Registration is closed')
      if (isFree) return
      // It may have been proved elsewhere, by a provider.
      const confirm = policy.confirm && user.object['confirmed'] !== true
      if (confirm && typeof user.object['email'] !== 'string')
        throw illegalArgument('An e-mail address is required, to be confirmed', 'email')
      this.#accounts.begin(edits, realm, user, { ...policy, confirm })
    }
  }

  /** What notes, in a transaction, that the e-mail address of a user was proved to be his. */
  async confirming(app: Application): Promise<(edits: Edits, user: StoredEntity) => StoredEntity> {
    const realm = this.#realms.of(app)
    const policy = await realm.policy()
    return (edits, user) => this.#accounts.prove(edits, realm, user, policy)
  }

  /** The e-mail address of a user or administrator is about to change: links and pins that were sent to the old one end. */
  readdress(edits: Edits, user: StoredEntity): void {
    dropMailedPin(edits, user)
    MailTokens.drop(edits, user, 'resetpw', 'confirm')
    edits.afterCommit(() =>
      this.#accounts.readdressed(user, async () => {
        if (user.app === MANAGEMENT.id) return this.#realms.admins
        const application = await this.#application(user.app)
        return application === null ? null : this.#realms.of(toApplication(application))
      }),
    )
  }

  #application(app: number): Promise<StoredEntity | null> {
    const running = this.#reading.get(app)
    if (running !== undefined) return running
    const reading = this.#options.engine.store.getNumbered(MANAGEMENT.id, app)
    this.#reading.set(app, reading)
    const done = () => this.#reading.delete(app)
    reading.then(done, done)
    return reading
  }
}

const checkRegistration = (registration: RegistrationOptions): void => {
  const asks: (keyof RegistrationOptions)[] = [
    'approveAdmins',
    'approveOrganizations',
    'notifyOfNewAdmins',
    'notifyOfNewOrganizations',
  ]
  const asking = asks.find((key) => registration[key] === true)
  if (asking !== undefined && registration.sysadminEmail === undefined)
    throw new Error(`registration.${asking} needs registration.sysadminEmail: mails about it go there`)
}
