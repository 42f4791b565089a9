import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Tokens } from '../auth/index.js'

/** What is kept beside a user that his account can be entered with: passwords, pins, factors, networks, links in mails. */
const WAYS_IN = ['credentials', 'pins', 'factors', 'addresses', 'mails']
const DEVICES = { verb: '~devices', direction: 'out', collection: 'devices' } as const
const PAGE = 100

/** Puts out whoever holds an account, together with what else the transaction changes: nothing of his opens it any more. */
export const disown = (tokens: Tokens, edits: Edits, user: StoredEntity): void => {
  for (const name of WAYS_IN)
    for (const key of edits.tx.dictionary(user, name).keys()) edits.tx.setEntry(user, name, key, null)
  tokens.revokeAllWithin(edits, user)
}

/** Takes away the devices of whoever held it, which would get what is sent to its new owner. Not before `disown`. */
export const disownDevices = async (engine: Engine, user: StoredEntity): Promise<void> => {
  const page = {
    query: { projection: null, filter: null, direct: null, sort: [] },
    limit: PAGE,
    cursor: null,
  }
  for (;;) {
    const { items } = await engine.connected(user.app, user, DEVICES, page)
    if (items.length === 0) return
    await engine.transact(user.app, `system:${user.uuid} has another owner`, (edits) => {
      const owner = edits.find('users', user.uuid)
      for (const { uuid } of items) {
        const device = edits.find('devices', uuid)
        if (owner !== null && device !== null) edits.tx.disconnect(owner, DEVICES.verb, device)
      }
    })
  }
}
