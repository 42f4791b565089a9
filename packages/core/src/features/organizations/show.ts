import type { JsonObject } from '../../domain/json.js'
import type { StoredEntity } from '../../storage/store.js'
import { passwordHistorySize } from './password-history.js'
import { MANAGEMENT } from './types.js'

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** An administrator as the management API shows him (identity rules 1.2). */
export const showAdmin = ({ object }: StoredEntity): JsonObject => {
  const {
    uuid,
    username,
    name = null,
    email = '',
    activated = false,
    confirmed = true,
    disabled = false,
    properties = {},
  } = object
  const [shownName, shownMail] = [String(name ?? username), String(email)]
  return {
    applicationId: MANAGEMENT.uuid,
    uuid: uuid!,
    username: username!,
    name,
    email,
    activated,
    confirmed,
    disabled,
    adminUser: true,
    displayEmailAddress: `${shownName} <${shownMail}>`,
    htmldisplayEmailAddress: `${escapeHtml(shownName)} &lt;<a href="mailto:${escapeHtml(shownMail)}">${escapeHtml(shownMail)}</a>&gt;`,
    properties,
  }
}

/** The name to show of an administrator. */
export const shownName = ({ object }: StoredEntity): string => String(object['name'] ?? object['username'])

/** A link to write to an administrator, as HTML. */
export const mailLink = (admin: StoredEntity): string => {
  const mail = escapeHtml(String(admin.object['email'] ?? ''))
  return `<a href="mailto:${mail}">${escapeHtml(shownName(admin))} (${mail})</a>`
}

/** An organization without what is in it. */
export const showOrganization = (organization: StoredEntity): JsonObject => {
  const { uuid, name, properties = {}, settings } = organization.object
  return {
    uuid: uuid!,
    name: name!,
    passwordHistorySize: passwordHistorySize(organization),
    properties,
    ...(settings === undefined ? {} : { settings }),
  }
}

/** Applications by full name, which deleted ones had: their uuids. */
export const showApplications = (applications: readonly StoredEntity[]): JsonObject =>
  Object.fromEntries(
    applications.map(({ object, uuid }) => [
      `${String(object['organizationName'])}/${String(object['applicationName'])}`,
      uuid,
    ]),
  )
