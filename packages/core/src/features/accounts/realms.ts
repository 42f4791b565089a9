import type { Application } from '../../api/caller.js'
import { isMailAddress } from '../../domain/account-names.js'
import type { JsonObject } from '../../domain/json.js'
import type { StoredEntity } from '../../storage/store.js'
import { type Configurations, MANAGEMENT, type Organizations } from '../organizations/index.js'
import { ADMIN_WORDS, ORGANIZATION_WORDS, USER_WORDS } from './letters.js'
import type { Policy, Realm, RegistrationOptions } from './types.js'

export interface RealmsOptions {
  organizations: Organizations
  configurations: Configurations
  registration: RegistrationOptions
  /** What people know the server by. */
  title: string
}

/** Where accounts are: the administrators, the organizations, and the users of each application. */
export class Realms {
  readonly admins: Realm
  readonly tenants: Realm
  readonly #organizations: Organizations
  readonly #configurations: Configurations

  constructor({ organizations, configurations, registration, title }: RealmsOptions) {
    this.#organizations = organizations
    this.#configurations = configurations
    const { sysadminEmail } = registration
    const approvers = async () => (sysadminEmail === undefined ? [] : [sysadminEmail])
    this.admins = {
      app: MANAGEMENT.id,
      collection: 'users',
      path: '/management/users',
      title,
      words: ADMIN_WORDS,
      policy: async () => adminPolicy(registration),
      approvers,
      receivers: async (admin) => addressesOf([admin]),
      nameOf: addressOf,
      // He may belong to several organizations, or to none.
      view: async () => null,
    }
    this.tenants = {
      app: MANAGEMENT.id,
      collection: 'organizations',
      path: '/management/organizations',
      title,
      words: ORGANIZATION_WORDS,
      policy: async () => tenantPolicy(registration),
      approvers,
      receivers: async (organization) => addressesOf(await organizations.members.of(organization)),
      nameOf: ({ object }) => String(object['name']),
      view: (ref, page) => this.#view(ref, `management.organizations.organization.${page}`),
    }
  }

  /** The users of an application; its organization's administrators approve of them. */
  of(app: Application): Realm {
    const entity = () => this.#organizations.entityOf(app)
    return {
      app: app.id,
      collection: 'users',
      path: `/${app.name}/users`,
      title: app.name,
      words: USER_WORDS,
      policy: async () => userPolicy((await entity()).object),
      approvers: async () => {
        const organization = await this.#organizations.find(app.organization)
        return organization === null ? [] : addressesOf(await this.#organizations.members.of(organization))
      },
      receivers: async (user) => addressesOf([user]),
      nameOf: addressOf,
      view: (_, page) => this.#view(app.organization, `applications.users.user.${page}`),
    }
  }

  async #view(ref: string, page: string): Promise<string | null> {
    const organization = await this.#organizations.find(ref)
    return organization === null ? null : this.#configurations.view(organization, page)
  }
}

export const adminPolicy = (registration: RegistrationOptions): Policy => ({
  confirm: registration.confirmAdmins === true,
  approve: registration.approveAdmins === true,
  notify: registration.notifyOfNewAdmins === true,
})

export const tenantPolicy = (registration: RegistrationOptions): Policy => ({
  confirm: registration.confirmOrganizations === true,
  approve: registration.approveOrganizations === true,
  notify: registration.notifyOfNewOrganizations === true,
})

/** What an application's properties say; old clients send them as texts. */
export const userPolicy = (properties: JsonObject): Policy => ({
  confirm: isOn(properties['registration_requires_email_confirmation']),
  approve: isOn(properties['registration_requires_admin_approval']),
  notify: isOn(properties['notify_admin_of_new_users']),
})

/** Whether guests may make users; they may unless the application says otherwise. */
export const isOpen = ({ allow_open_registration: open }: JsonObject): boolean =>
  open === undefined || open === null || isOn(open)

const isOn = (value: unknown): boolean => value === true || value === 'true'

const addressOf = ({ object }: StoredEntity): string => String(object['email'] ?? object['username'])

const addressesOf = (people: readonly StoredEntity[]): string[] =>
  people.map(({ object }) => object['email']).filter(isMailAddress)
