import type { StoredEntity } from '../../storage/store.js'
import type { TokenApplication } from '../auth/index.js'

/** Whose factors they are: a user of an application, or an administrator, whose `app` is `null`. */
export interface Person {
  user: StoredEntity
  app: TokenApplication | null
}

/** How he is written to the change log. */
export const labelOf = ({ user, app }: Person): string => `${app === null ? 'admin' : 'user'}:${user.uuid}`
