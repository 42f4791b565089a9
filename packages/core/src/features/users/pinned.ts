import type { Application, Caller } from '../../api/caller.js'
import { type Params, param, type Segment } from '../../api/url.js'
import { accountName } from '../../domain/account-names.js'
import { isUuid, newUuid } from '../../domain/uuid.js'
import type { Engine } from '../../engine/engine.js'

const PROPERTIES: Readonly<Record<string, string>> = { email: 'email', name: 'username' }
const USERS = /^users?$/i

/**
 * The path with its user by uuid, where `?force=email` or `?force=name` says which of his names stands there: a text
 * may be one user's username and another's e-mail address. A name of nobody becomes a uuid of nobody, so that all
 * that follows is as if it had been written; so does a name that is hidden from the caller.
 */
export const pinnedUser =
  (engine: Engine) =>
  async (
    app: Application,
    { hidden }: Caller,
    segments: readonly Segment[],
    params: Params,
  ): Promise<readonly Segment[]> => {
    const property = PROPERTIES[param(params, 'force')?.toLowerCase() ?? '']
    const [first, ref, ...rest] = segments
    if (property === undefined || first === undefined || ref === undefined) return segments
    const { text, query } = ref
    if (query !== null || isUuid(text) || text.toLowerCase() === 'me' || !USERS.test(first.text))
      return segments
    const isHidden = hidden?.get('users')?.hides(property) === true
    const user = isHidden ? null : await engine.store.find(app.id, 'users', property, accountName(text))
    return [first, { text: user?.uuid ?? newUuid(), query }, ...rest]
  }
