import { randomBytes } from 'node:crypto'
import type { Application } from '../../api/caller.js'
import {
  type ClientKind,
  clientId,
  newClientSecret,
  parseClientId,
  sameSecret,
} from '../../domain/credentials.js'
import { AppError } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import { isUuid } from '../../domain/uuid.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import { Remembered, type RememberedOptions } from '../../engine/remembered.js'
import type { Listing, StoredEntity } from '../../storage/store.js'
import type { SecretBox } from '../auth/index.js'
import { type FirstRole, type Roles, SANDBOX_ROLES } from '../roles/index.js'
import type { Passwords } from '../users/index.js'
import { addAdmin } from './administrators.js'
import type { AdminSource } from './admins.js'
import type { ClientSource } from './client-source.js'
import { actorOf, announce } from './feeds.js'
import { MEMBERS, Members } from './members.js'
import { tenantName } from './names.js'
import { passwordHistorySize } from './password-history.js'
import { type ClientCredentials, MANAGEMENT, type NewOrganization, type Registration } from './types.js'

const APPLICATIONS = '~applications'
const CREDENTIALS = 'credentials'
const SECRET = 'secret'
const TOKENS = 'tokens'
const SANDBOX = 'sandbox'
const EVERYTHING = { projection: null, filter: null, direct: null, sort: [] }

/** Properties of an application that say what it is, in lower case. */
const FIXED = new Set(['name', 'organization', 'organizationname', 'applicationname', 'deleted'])

export interface OrganizationsOptions extends RememberedOptions {
  engine: Engine
  roles: Roles
  passwords: Passwords
  admins: AdminSource
  clients: ClientSource
  box: SecretBox
  /** Roles of a new application other than the sandbox. */
  firstRoles: readonly FirstRole[]
}

/** Organizations, their applications and client credentials. They live as entities of the management application. */
export class Organizations {
  readonly members: Members
  readonly #engine: Engine
  readonly #options: OrganizationsOptions
  readonly #resolved: Remembered<Application>

  constructor(options: OrganizationsOptions) {
    this.#resolved = new Remembered(options)
    this.members = new Members(options)
    this.#engine = options.engine
    this.#options = options
  }

  // Organizations

  /**
   * Makes the organization, its owner and its sandbox together; `registration` is for those who register themselves.
   * @throws {AppError} `duplicate_unique_property_exists` when organization, username or e-mail is taken.
   */
  async create(
    principal: string,
    wanted: NewOrganization,
    registration: Registration | null = null,
  ): Promise<{ organization: StoredEntity; owner: StoredEntity }> {
    const { username, name, email, password, properties, ownerProperties } = wanted
    const organizationName = tenantName(wanted.organization, 'organization')
    const secured = await this.#options.passwords.secure({ password: password ?? null }, MANAGEMENT.id)
    return this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
      const made = addAdmin(edits, { ...adminProperties(ownerProperties), username, name, email })
      secured?.(edits, made)
      const owner = registration?.beginAdmin(edits, made) ?? made
      const organization = this.#add(edits, owner, organizationName, properties)
      return { organization: registration?.beginOrganization(edits, organization) ?? organization, owner }
    })
  }

  /** Makes an organization, with its sandbox unless it shall have none, for an administrator that there is. */
  createFor(
    principal: string,
    owner: StoredEntity,
    name: string,
    {
      properties = {},
      sandbox = true,
      registration = null,
    }: { properties?: JsonObject; sandbox?: boolean; registration?: Registration | null } = {},
  ): Promise<StoredEntity> {
    const organizationName = tenantName(name, 'organization')
    return this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
      edits.afterCommit(() => this.#options.admins.forget())
      const made = this.#add(edits, edits.get('users', owner.uuid), organizationName, properties, sandbox)
      return registration?.beginOrganization(edits, made) ?? made
    })
  }

  find(ref: string): Promise<StoredEntity | null> {
    return this.#engine.find(MANAGEMENT.id, 'organizations', ref.toLowerCase())
  }

  /** One page of all organizations, the newest first. */
  list(limit: number, cursor: string | null): Promise<Listing> {
    return this.#engine.list(MANAGEMENT.id, 'organizations', { query: EVERYTHING, limit, cursor })
  }

  /** How many passwords somebody must not take again: the most that one of his organizations asks for. */
  async passwordHistory(admin: StoredEntity): Promise<number> {
    const own = await this.members.organizationsOf(admin)
    return Math.max(0, ...own.map(passwordHistorySize))
  }

  // Applications

  async applications(organization: StoredEntity): Promise<StoredEntity[]> {
    return (await this.#everyApplication(organization)).filter(
      ({ object }) => object['deleted'] === undefined,
    )
  }

  /** Those that `restoreApplication` can bring back. */
  async deletedApplications(organization: StoredEntity): Promise<StoredEntity[]> {
    return (await this.#everyApplication(organization)).filter(
      ({ object }) => object['deleted'] !== undefined,
    )
  }

  async #everyApplication(organization: StoredEntity): Promise<StoredEntity[]> {
    const hop = { verb: APPLICATIONS, direction: 'out', collection: 'applications' } as const
    return this.#engine.everyConnected(MANAGEMENT.id, organization, hop)
  }

  /** @throws {AppError} `application_already_exists` */
  async createApplication(
    principal: string,
    organization: StoredEntity,
    name: unknown,
  ): Promise<StoredEntity> {
    const applicationName = tenantName(name, 'name')
    try {
      return await this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
        const object = this.#addApplication(edits, organization, applicationName, this.#options.firstRoles)
        announce(edits, organization, {
          actor: actorOf(edits, principal, organization),
          verb: 'create',
          object,
        })
        return object
      })
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'duplicate_unique_property_exists') throw error
      throw new AppError('application_already_exists', `Application ${applicationName} already exists`)
    }
  }

  /** An application of this organization by name or uuid. @throws {AppError} `entity_not_found`. */
  async application(organization: StoredEntity, ref: string): Promise<StoredEntity> {
    const name = isUuid(ref) ? ref : `${String(organization.object['name'])}/${ref.toLowerCase()}`
    const found = await this.#engine.find(MANAGEMENT.id, 'applications', name)
    if (
      found === null ||
      found.object['organization'] !== organization.uuid ||
      found.object['deleted'] !== undefined
    ) {
      throw new AppError(
        'entity_not_found',
        `Application ${ref} does not exist for organization ${String(organization.object['name'])}`,
      )
    }
    return found
  }

  /**
   * Hides the application and frees its name; its data is kept for `restoreApplication`.
   * @throws {AppError} `conflict` while another deleted application of that name could be restored.
   */
  async removeApplication(principal: string, application: StoredEntity): Promise<void> {
    const { organization, applicationName } = application.object
    const owner = await this.#engine.get(MANAGEMENT.id, 'organizations', String(organization))
    const others = await this.#everyApplication(owner)
    if (
      others.some(
        ({ object }) => object['deleted'] !== undefined && object['applicationName'] === applicationName,
      )
    )
      throw new AppError(
        'conflict',
        'Cannot delete application, one with that name was deleted before and can be restored.',
      )
    await this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
      const current = edits.get('applications', application.uuid)
      edits.update(current, { name: null, deleted: edits.now })
    })
    this.#resolved.forget()
    this.#options.clients.forget()
  }

  /** @throws {AppError} `entity_not_found` when not deleted, `conflict` when the name is taken by now. */
  async restoreApplication(
    principal: string,
    organization: StoredEntity,
    uuid: string,
  ): Promise<StoredEntity> {
    const found = isUuid(uuid) ? await this.#engine.find(MANAGEMENT.id, 'applications', uuid) : null
    const { organizationName, applicationName, deleted } = found?.object ?? {}
    if (found === null || deleted === undefined || found.object['organization'] !== organization.uuid) {
      throw new AppError('entity_not_found', `Deleted application ID ${uuid} not found`)
    }
    try {
      return await this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
        const current = edits.get('applications', uuid)
        this.#renewSecret(edits, current)
        const name = `${String(organizationName)}/${String(applicationName)}`
        const object = edits.update(current, { name, deleted: null })
        announce(edits, organization, {
          actor: actorOf(edits, principal, organization),
          verb: 'restore',
          object,
        })
        return object
      })
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'duplicate_unique_property_exists') throw error
      throw new AppError('conflict', 'Cannot restore application, one with that name already exists.')
    }
  }

  /** Properties of the application itself, such as `accesstokenttl`. */
  async updateApplication(principal: string, app: Application, body: JsonObject): Promise<StoredEntity> {
    const updated = await this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
      const changes = Object.fromEntries(
        Object.entries(body).filter(([key]) => !FIXED.has(key.toLowerCase())),
      )
      return edits.update(edits.get('applications', app.uuid), changes)
    })
    this.#resolved.forget()
    return updated
  }

  /** Reads anew which applications there are. */
  forget(): void {
    this.#resolved.forget()
  }

  entityOf(app: Application): Promise<StoredEntity> {
    return this.#engine.get(MANAGEMENT.id, 'applications', app.uuid)
  }

  /**
   * The application that the first two segments of a path mean, each a name or a uuid.
   * @throws {AppError} `organization_application_not_found`
   */
  async resolve(organizationRef: string, applicationRef: string): Promise<Application> {
    const key = `${organizationRef}/${applicationRef}`.toLowerCase()
    const application = await this.#resolved.get(key, async () => {
      const found = await this.#resolve(organizationRef.toLowerCase(), applicationRef.toLowerCase())
      return found !== null && (await this.#isActive(found)) ? toApplication(found) : null
    })
    if (application !== null) return application
    throw new AppError(
      'organization_application_not_found',
      `Could not find application for ${key} from URI: ${key}`,
    )
  }

  /** The application with this uuid, of whatever organization. */
  async resolveUuid(uuid: string): Promise<Application> {
    const found = await this.#engine.find(MANAGEMENT.id, 'applications', uuid)
    if (found === null || found.object['deleted'] !== undefined || !(await this.#isActive(found))) {
      throw new AppError(
        'organization_application_not_found',
        `Could not find application for ${uuid} from URI: ${uuid}`,
      )
    }
    return toApplication(found)
  }

  /** Applications of an organization that has yet to be confirmed or approved of are not there for anybody. */
  async #isActive({ object }: StoredEntity): Promise<boolean> {
    const organization = await this.find(String(object['organization']))
    return organization?.object['activated'] !== false
  }

  async #resolve(organizationRef: string, applicationRef: string): Promise<StoredEntity | null> {
    if (!isUuid(organizationRef) && !isUuid(applicationRef))
      return this.#engine.find(MANAGEMENT.id, 'applications', `${organizationRef}/${applicationRef}`)
    const organization = await this.find(organizationRef)
    if (organization === null) return null
    try {
      return await this.application(organization, applicationRef)
    } catch (error) {
      if (error instanceof AppError) return null
      throw error
    }
  }

  // Credentials

  async credentials(owner: StoredEntity): Promise<ClientCredentials> {
    const sealed = (await this.#engine.store.dictionary(owner, CREDENTIALS)).get(SECRET)
    if (sealed === undefined)
      throw new AppError('management', 'There are no client credentials; make them with POST')
    return { client_id: clientId(kindOf(owner), owner.uuid), client_secret: this.#options.box.open(sealed) }
  }

  /** Makes a new secret; the old one stops working at once. The id never changes. */
  async newCredentials(principal: string, owner: StoredEntity): Promise<ClientCredentials> {
    const secret = await this.#engine.transact(MANAGEMENT.id, principal, (edits) =>
      this.#renewSecret(edits, owner),
    )
    return { client_id: clientId(kindOf(owner), owner.uuid), client_secret: secret }
  }

  /** The organization or application that the id and secret belong to, or `null`. */
  async client(id: string, secret: string): Promise<StoredEntity | null> {
    const parsed = parseClientId(id)
    if (parsed === null || (parsed.kind !== 'organization' && parsed.kind !== 'application')) return null
    const owner = await this.#engine.find(MANAGEMENT.id, `${parsed.kind}s`, parsed.uuid)
    if (owner === null || owner.object['deleted'] !== undefined) return null
    const sealed = (await this.#engine.store.dictionary(owner, CREDENTIALS)).get(SECRET)
    return sealed !== undefined && sameSecret(this.#options.box.open(sealed), secret) ? owner : null
  }

  #add(
    edits: Edits,
    owner: StoredEntity,
    name: string,
    properties: JsonObject,
    sandbox = true,
  ): StoredEntity {
    const organization = edits.create('organizations', { name, properties })
    this.#setSecret(edits, organization, 'organization')
    edits.tx.connect(organization, MEMBERS, owner)
    if (sandbox) this.#addApplication(edits, organization, SANDBOX, SANDBOX_ROLES)
    announce(edits, organization, { actor: owner, verb: 'create', object: organization })
    return organization
  }

  /** Whatever was had for the secret before ends with it. */
  #renewSecret(edits: Edits, owner: StoredEntity): string {
    edits.tx.setEntry(owner, TOKENS, 'since', String(edits.now + 1))
    edits.afterCommit(() => this.#options.clients.forget())
    return this.#setSecret(edits, owner, kindOf(owner))
  }

  #setSecret(edits: Edits, owner: StoredEntity, kind: ClientKind): string {
    const secret = newClientSecret(kind, randomBytes)
    edits.tx.setEntry(owner, CREDENTIALS, SECRET, this.#options.box.seal(secret))
    return secret
  }

  #addApplication(
    edits: Edits,
    organization: StoredEntity,
    applicationName: string,
    roles: readonly FirstRole[],
  ): StoredEntity {
    const organizationName = String(organization.object['name'])
    const application = edits.create('applications', {
      name: `${organizationName}/${applicationName}`,
      organization: organization.uuid,
      organizationName,
      applicationName,
    })
    edits.tx.connect(organization, APPLICATIONS, application)
    this.#setSecret(edits, application, 'application')
    this.#options.roles.createFirst(edits.in(application.id), roles)
    return application
  }
}

const kindOf = ({ collection }: StoredEntity): 'organization' | 'application' =>
  collection === 'organizations' ? 'organization' : 'application'

const adminProperties = (properties: JsonObject): JsonObject =>
  Object.keys(properties).length === 0 ? {} : { properties }

export const toApplication = ({ id, uuid, object }: StoredEntity): Application => ({
  id,
  uuid,
  name: String(object['name']),
  organizationName: String(object['organizationName']),
  applicationName: String(object['applicationName']),
  organization: String(object['organization']),
})
