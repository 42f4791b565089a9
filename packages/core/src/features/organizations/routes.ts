import { type EnvelopeValue, paramsJson, RawJson } from '../../api/envelope.js'
import { withSecret } from '../../api/reply.js'
import type { ApiReply } from '../../api/request.js'
import { type Call, fieldsOf, type Route, route } from '../../api/route.js'
import { param } from '../../api/url.js'
import { accountName } from '../../domain/account-names.js'
import { AppError, illegalArgument, unauthorized } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import { readLimit } from '../../domain/page.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { isSysadmin, type OrganizationDoors, ownOrganization, registrationOf } from './access.js'
import { mergedProperties } from './administrators.js'
import { configurationRoutes } from './configuration-routes.js'
import { optional, ownProperties, text } from './fields.js'
import { managed } from './managed.js'
import type { Organizations } from './organizations.js'
import { checkPasswordHistory } from './password-history.js'
import { changedSettings } from './settings.js'
import { showAdmin, showApplications, showOrganization } from './show.js'
import { sizeRoutes } from './size-routes.js'
import { MANAGEMENT, type NewOrganization } from './types.js'

/** `/management/orgs` and what belongs to an organization. */
export const organizationRoutes = (doors: OrganizationDoors): Route<Call>[] => [
  route('GET', 'orgs', (call: Call) => list(doors, call)),
  route('POST', 'orgs', (call: Call) => create(doors, call)),
  route('GET', 'orgs/:org', (call: Call) => read(doors, call)),
  route('PUT', 'orgs/:org', (call: Call) => update(doors, call)),
  route('DELETE', 'orgs/:org', async (call: Call) => {
    await ownOrganization(doors, call)
    throw new AppError('not_implemented', 'Organizations cannot be deleted')
  }),
  route(['GET', 'POST'], 'orgs/:org/credentials', (call: Call) => credentials(doors, call)),
  route('GET', 'orgs/:org/apps', async (call: Call) => {
    const organization = await ownOrganization(doors, call)
    const applications =
      param(call.params, 'deleted') === 'true'
        ? await doors.organizations.deletedApplications(organization)
        : await doors.organizations.applications(organization)
    return managed(call, { action: 'get organization application', data: showApplications(applications) })
  }),
  route('POST', 'orgs/:org/apps', (call: Call) => createApplication(doors, call)),
  route('GET', 'orgs/:org/apps/:app', (call: Call) => readApplication(doors, call)),
  route('PUT', 'orgs/:org/apps/:app', (call: Call) => restoreApplication(doors, call)),
  route('DELETE', 'orgs/:org/apps/:app', (call: Call) => removeApplication(doors, call)),
  route(['GET', 'POST'], 'orgs/:org/apps/:app/credentials', (call: Call) =>
    applicationCredentials(doors, call),
  ),
  ...configurationRoutes(doors),
  ...sizeRoutes(doors),
]

const list = async ({ organizations, engine }: OrganizationDoors, call: Call): Promise<ApiReply> => {
  if (!isSysadmin(call.caller)) throw unauthorized('No system access authorized')
  const limit = readLimit(param(call.params, 'limit'), 10, engine.limits.pageSize)
  const { items, cursor } = await organizations.list(limit, param(call.params, 'cursor') ?? null)
  const shown = await Promise.all(
    items.map(async (organization) => {
      const { uuid, name, properties } = showOrganization(organization)
      const applications = showApplications(await organizations.applications(organization))
      return { uuid: uuid!, name: name!, properties: properties!, applications }
    }),
  )
  return managed(call, { organizations: shown, count: shown.length, cursor: cursor ?? undefined })
}

const create = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  // A form may be completed by the query; a query alone makes nothing, for links are followed by themselves.
  if (call.request.body === undefined) throw illegalArgument('The organization must be in the body')
  const registration = registrationOf(doors, call.caller)
  const wanted = newOrganization(fieldsOf(call))
  const { organization, owner } =
    (await createForExisting(doors, call, wanted)) ??
    (await doors.organizations.create(call.caller.label, wanted, registration))
  const data = { owner: showAdmin(owner), organization: showOrganization(organization) }
  return managed(call, { action: 'new organization', status: 'ok', data })
}

/** A system administrator who leaves out the password makes an organization for the administrator of that e-mail. */
const createForExisting = async (
  { organizations, engine }: OrganizationDoors,
  { caller }: Call,
  { organization: name, email, password, properties }: NewOrganization,
): Promise<{ organization: StoredEntity; owner: StoredEntity } | null> => {
  if (password !== undefined || !isSysadmin(caller)) return null
  const owner = await engine.store.find(MANAGEMENT.id, 'users', 'email', accountName(email))
  if (owner === null) return null
  return { organization: await organizations.createFor(caller.label, owner, name, { properties }), owner }
}

const ORGANIZATION_KEYS = new Set(['organization', 'username', 'name', 'email', 'password', 'properties'])

const newOrganization = (fields: JsonObject): NewOrganization => {
  const { organization, email, password, properties = {} } = fields
  if (organization === undefined || organization === '')
    throw illegalArgument('The organization parameter was missing', 'organization')
  const mail = text(email, 'email')
  if (isJsonObject(properties)) checkPasswordHistory(properties as JsonObject)
  return {
    organization: text(organization, 'organization'),
    email: mail,
    username: optional(fields['username'], 'username') ?? mail,
    name: optional(fields['name'], 'name') ?? mail,
    password: optional(password, 'password'),
    properties: isJsonObject(properties) ? (properties as JsonObject) : {},
    ownerProperties: ownProperties(fields, ORGANIZATION_KEYS),
  }
}

const read = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const organization = await ownOrganization(doors, call)
  return managed(call, { organization: await wholeOrganization(doors.organizations, organization) })
}

/** An organization with its applications and members. */
export const wholeOrganization = async (
  organizations: Organizations,
  organization: StoredEntity,
): Promise<JsonObject> => {
  const members = await organizations.members.of(organization)
  return {
    ...showOrganization(organization),
    applications: showApplications(await organizations.applications(organization)),
    users: Object.fromEntries(
      members.map((member) => [String(member.object['username']), showAdmin(member)]),
    ),
  }
}

const update = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const organization = await ownOrganization(doors, call)
  const { properties, settings: wanted } = fieldsOf(call)
  const changes = isJsonObject(properties) ? (properties as JsonObject) : {}
  checkPasswordHistory(changes)
  const updated = await doors.engine.transact(MANAGEMENT.id, call.caller.label, (edits) => {
    const current = edits.get('organizations', organization.uuid)
    const settings = changedSettings(current.object['settings'], wanted)
    edits.afterCommit(() => doors.organizations.members.forget())
    return edits.update(current, {
      properties: mergedProperties(current.object['properties'], changes),
      ...(settings === undefined ? {} : { settings }),
    })
  })
  return managed(call, { action: 'put', organization: await wholeOrganization(doors.organizations, updated) })
}

const credentials = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const organization = await ownOrganization(doors, call)
  const isNew = call.request.method === 'POST'
  const made = isNew
    ? await doors.organizations.newCredentials(call.caller.label, organization)
    : await doors.organizations.credentials(organization)
  return withSecret(
    managed(call, {
      action: `${isNew ? 'generate' : 'get'} organization client credentials`,
      credentials: { ...made },
    }),
  )
}

const createApplication = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const organization = await ownOrganization(doors, call)
  const { name } = fieldsOf(call)
  if (name === undefined || name === '')
    throw illegalArgument("The 'name' parameter is required and cannot be empty", 'name')
  const application = await doors.organizations.createApplication(call.caller.label, organization, name)
  return applicationReply(doors, call, application, 'new application for organization', {
    data: showApplications([application]),
  })
}

const readApplication = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const application = await doors.organizations.application(await ownOrganization(doors, call), call.args[1]!)
  return applicationReply(doors, call, application, 'get')
}

const restoreApplication = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const organization = await ownOrganization(doors, call)
  const application = await doors.organizations.restoreApplication(
    call.caller.label,
    organization,
    call.args[1]!.toLowerCase(),
  )
  return managed(call, {
    action: 'restore',
    application: application.uuid,
    params: new RawJson(paramsJson(call.params)),
  })
}

const removeApplication = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const organization = await ownOrganization(doors, call)
  const [, ref = ''] = call.args
  const application = await doors.organizations.application(organization, ref)
  const given =
    param(call.params, 'confirm_application_identifier') ?? param(call.params, 'confirm_application_id')
  const byUuid = ref.toLowerCase() === application.uuid
  const expected = byUuid ? application.uuid : String(application.object['applicationName'])
  if (given?.toLowerCase() !== expected) {
    throw illegalArgument(
      `Cannot delete application without supplying correct application ${byUuid ? 'id' : 'name'}.`,
      'confirm_application_identifier',
    )
  }
  await doors.organizations.removeApplication(call.caller.label, application)
  return managed(call, {
    action: 'delete',
    application: application.uuid,
    params: new RawJson(paramsJson(call.params)),
  })
}

const applicationCredentials = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const application = await doors.organizations.application(await ownOrganization(doors, call), call.args[1]!)
  const isNew = call.request.method === 'POST'
  const made = isNew
    ? await doors.organizations.newCredentials(call.caller.label, application)
    : await doors.organizations.credentials(application)
  return withSecret(
    managed(call, {
      action: `${isNew ? 'generate' : 'get'} application client credentials`,
      credentials: { ...made },
    }),
  )
}

const applicationReply = async (
  { engine }: OrganizationDoors,
  call: Call,
  application: StoredEntity,
  action: string,
  more: Record<string, EnvelopeValue> = {},
): Promise<ApiReply> =>
  managed(call, {
    action,
    application: application.uuid,
    params: new RawJson(paramsJson(call.params)),
    uri: `${call.request.baseUrl}/${String(application.object['name'])}`,
    ...more,
    entities: [await showApplication(engine, application)],
    organization: String(application.object['organizationName']),
  })

/** An application with its collections and how much is in each. */
export const showApplication = async (engine: Engine, application: StoredEntity): Promise<JsonObject> => {
  const counts = await engine.store.counts(application.id)
  const names = [...new Set([...LISTED, ...counts.keys()])].sort()
  const collections = names.map((name) => [
    name,
    { title: title(name), count: counts.get(name) ?? 0, name, type: engine.typeOf(name) },
  ])
  return { ...application.object, metadata: { collections: Object.fromEntries(collections) } }
}

/** Collections that are listed even when nothing is in them. */
const LISTED = [
  'activities',
  'assets',
  'devices',
  'events',
  'folders',
  'groups',
  'notifications',
  'roles',
  'users',
]

const title = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`
