import { createHash } from 'node:crypto'
import { accountName, checkMail, checkUsername, isSameAddress } from '../../domain/account-names.js'
import type { Json, JsonObject } from '../../domain/json.js'
import type { Descriptor } from '../../engine/descriptor.js'
import type { Edits } from '../../engine/edits.js'
import type { StoredEntity } from '../../storage/store.js'

/** What only administrators of an application may write on a user, words behind him included; from anybody else it is ignored. */
export const DECIDED_BY_ADMINS = [
  'activated',
  'confirmed',
  'disabled',
  'deactivated',
  'credentials',
  'rolenames',
  'permissions',
  'roles',
  'groups',
  'devices',
  'activities',
  'feed',
  'following',
  'followers',
]

const COMMANDS = [
  'password',
  'credentials',
  'token',
  'revoketoken',
  'revoketokens',
  'signins',
  'activate',
  'confirm',
  'reactivate',
  'deactivate',
  'resetpw',
  'sendpin',
  'setpin',
  'permissions',
  'rolenames',
  'factors',
]

export interface UserOptions {
  /** Scheme of the picture made from an e-mail address; Usergrid's clients saw `http`. */
  pictureScheme: 'http' | 'https'
  /** Told, in the transaction, of a user whose e-mail address is about to change. */
  readdressed?: ((edits: Edits, user: StoredEntity) => void) | undefined
}

/** App users: found by username or e-mail; passwords and pins never reach the document. */
export const userDescriptor = ({
  pictureScheme,
  readdressed,
}: UserOptions): Partial<Descriptor> & { collection: string } => ({
  collection: 'users',
  alias: ['username', 'email'],
  unique: ['username', 'email'],
  required: ['username'],
  withheld: ['password', 'pin', 'oldpassword', 'newpassword', 'credentials'],
  adminOnly: DECIDED_BY_ADMINS,
  typed: {
    username: 'string',
    email: 'string',
    activated: 'boolean',
    confirmed: 'boolean',
    disabled: 'boolean',
    picture: 'string',
  },
  spelled: { username: accountName, email: accountName },
  subCollections: {
    activities: { collection: 'activities', verb: '~activities', direction: 'out', gives: 'put' },
    devices: { collection: 'devices', verb: '~devices', direction: 'out', gives: 'put', exclusive: true },
    feed: { collection: 'activities', verb: '~feed', direction: 'out', gives: 'get' },
    groups: { collection: 'groups', verb: '~members', direction: 'in', inverse: 'users' },
    roles: { collection: 'roles', verb: '~assigned', direction: 'in', inverse: 'users' },
    following: { collection: 'users', verb: '~following', direction: 'out' },
    followers: { collection: 'users', verb: '~following', direction: 'in', inverse: 'following' },
  },
  sets: { rolenames: 'roles', permissions: 'permissions' },
  commands: COMMANDS,
  prepare: (properties) => prepareUser(properties, pictureScheme),
  // Tokens name their user by uuid: those of one who was there before must not become this one's.
  succeed: (edits, user) => edits.tx.setEntry(user, 'tokens', 'since', String(edits.now)),
  amend: (properties, before, edits) => {
    if (keepsAddress(properties.get('email'), before.object['email'])) return
    // What was confirmed is that he reads the mails of the old one.
    if (before.object['confirmed'] === true) properties.delete('confirmed')
    readdressed?.(edits, before)
  },
  check: checkNames,
})

const keepsAddress = (a: Json | undefined, b: Json | undefined): boolean =>
  a === b || (typeof a === 'string' && typeof b === 'string' && isSameAddress(a, b))

const prepareUser = (properties: Map<string, Json>, scheme: string): void => {
  if (!properties.has('activated')) properties.set('activated', true)
  const email = properties.get('email')
  if (typeof email === 'string' && !properties.has('picture')) {
    const digest = createHash('md5').update(email.trim().toLowerCase()).digest('hex')
    properties.set('picture', `${scheme}://www.gravatar.com/avatar/${digest}`)
  }
}

/** Names that were stored before a rule was made stay good. */
const checkNames = (properties: ReadonlyMap<string, Json>, before: JsonObject | null): void => {
  const [username, email] = [properties.get('username'), properties.get('email')]
  if (typeof username === 'string' && username !== before?.['username']) checkUsername(username)
  if (typeof email === 'string' && email !== before?.['email']) checkMail(email)
}
