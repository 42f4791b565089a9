import { isJsonObject } from '../../domain/json.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Person } from './person.js'

/**
 * Whether somebody must have a second factor: by the property `enforce2fa` of his application, for an administrator
 * by the setting of that name of any of his organizations.
 */
export const enforcement =
  (organizationsOf: (admin: StoredEntity) => Promise<StoredEntity[]>) =>
  async ({ user, app }: Person): Promise<boolean> => {
    if (app !== null) return app.properties['enforce2fa'] === true
    const organizations = await organizationsOf(user)
    return organizations.some(asksForFactor)
  }

/** Whether an organization asks a second factor of those who administer it. */
export const asksForFactor = ({ object: { settings } }: StoredEntity): boolean =>
  isJsonObject(settings) && settings['enforce2fa'] === true
