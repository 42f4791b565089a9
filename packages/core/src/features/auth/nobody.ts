import type { StoredEntity } from '../../storage/store.js'

/**
 * Stands for an account that does not exist: what is read beside one is read beside this, where nothing is, so that the
 * time that it takes does not tell whether there is an account.
 */
export const NOBODY: StoredEntity = {
  app: 0,
  id: 0,
  collection: 'users',
  uuid: '00000000-0000-0000-0000-000000000000',
  doc: '{}',
  object: {},
  links: null,
}
