import { createHash } from 'node:crypto'
import type { Application } from '../../api/caller.js'
import { isSameAddress } from '../../domain/account-names.js'
import { AppError } from '../../domain/errors.js'
import type { Edits } from '../../engine/edits.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Profile, Provider } from './types.js'

/** Beside a user: who he is to providers, and since when. It goes with him, and decides. */
const IDENTITIES = 'identities'
/** In the application that keeps applications: where to look for the user of an identity. */
const COLLECTION = 'identities'
const PLAIN_SUBJECT = /^[\w-]{1,60}$/

export interface IdentitiesOptions {
  /** Number of the application that keeps all applications. */
  management: number
  /** Takes everything from an account that somebody could sign in to it with. */
  disown: (edits: Edits, user: StoredEntity) => void
}

/** Notes that the e-mail address of a user was proved to be his; returns him as he is then. */
export type Confirm = (edits: Edits, user: StoredEntity) => StoredEntity

/** Where somebody comes from, and goes to. */
export interface Linking {
  app: Application
  provider: Provider
  confirm: Confirm
  /** Any text that nobody can know; for names that are taken. */
  salt: string
}

/** Who somebody turned out to be. */
export interface Linked {
  user: StoredEntity
  /** Whether the account was kept by somebody who never proved that its e-mail address is his. */
  isTakenOver: boolean
}

/**
 * Which user of an application somebody is whom a provider names. An identity, issuer and subject, belongs to one user
 * at most. It is linked to an account that there is only through an e-mail address that both the provider and we have
 * verified; where we have not, whoever made the account may be a stranger, and is put out first.
 */
export class Identities {
  readonly #options: IdentitiesOptions

  constructor(options: IdentitiesOptions) {
    this.#options = options
  }

  /** The user that the profile names, who is made if need be. @throws {AppError} `invalid_grant` where nobody may sign up. */
  link(edits: Edits, linking: Linking, profile: Profile): Linked {
    const { app, confirm } = linking
    const known = this.#find(edits, app, profile)
    if (known !== null) return { user: known, isTakenOver: false }
    const owner = this.#ownerOf(edits, profile)
    if (owner === null) {
      const user = this.#signUp(edits, linking, profile)
      this.#keep(edits, app, profile, user)
      return { user, isTakenOver: false }
    }
    // It says so of the address that he has now: with another one it is gone.
    const isTakenOver = owner.object['confirmed'] !== true
    if (isTakenOver) this.#disown(edits, owner)
    const user = isTakenOver ? confirm(edits, owner) : owner
    this.#keep(edits, app, profile, user)
    return { user, isTakenOver }
  }

  #find(edits: Edits, app: Application, profile: Profile): StoredEntity | null {
    const place = edits.in(this.#options.management).tx.find(COLLECTION, 'name', placeOf(app, profile))
    const user = place === null ? null : edits.tx.get('users', String(place.object['user']))
    // The account may be another one by now, made under the uuid of one that is gone.
    return user !== null && edits.tx.dictionary(user, IDENTITIES).has(keyOf(profile)) ? user : null
  }

  /** Who has the e-mail address that the provider verified. */
  #ownerOf(edits: Edits, { email }: Profile): StoredEntity | null {
    const owner = email === null ? null : edits.tx.find('users', 'email', email)
    return owner !== null && isSameAddress(String(owner.object['email']), email!) ? owner : null
  }

  #signUp(edits: Edits, { provider, salt }: Linking, profile: Profile): StoredEntity {
    if (!provider.signUp) throw new AppError('invalid_grant', 'There is no account for you here')
    const { email, name, picture } = profile
    // One that only looks like it would be somebody else's.
    const isFree = email !== null && edits.tx.find('users', 'email', email) === null
    return edits.create('users', {
      username: freeUsername(edits, usernameOf(provider, profile), salt),
      ...(name === null ? {} : { name }),
      ...(picture === null ? {} : { picture }),
      ...(isFree ? { email, confirmed: true } : {}),
    })
  }

  #keep(edits: Edits, app: Application, profile: Profile, user: StoredEntity): void {
    edits.tx.setEntry(user, IDENTITIES, keyOf(profile), String(edits.now))
    const name = placeOf(app, profile)
    edits.in(this.#options.management).put(COLLECTION, name, { app: app.uuid, user: user.uuid })
  }

  #disown(edits: Edits, user: StoredEntity): void {
    for (const key of edits.tx.dictionary(user, IDENTITIES).keys())
      edits.tx.setEntry(user, IDENTITIES, key, null)
    this.#options.disown(edits, user)
  }
}

const keyOf = ({ issuer, subject }: Profile): string => `${issuer} ${subject}`

/** Under which the user of an identity is found: short, whatever issuer and subject are. */
const placeOf = ({ uuid }: Application, profile: Profile): string => hash(`${uuid} ${keyOf(profile)}`)

/** Nobody chooses it: a name that a provider's user chose could be taken for somebody else's here. */
const usernameOf = ({ name }: Provider, { issuer, subject }: Profile): string =>
  `${name}_${PLAIN_SUBJECT.test(subject) ? subject : hash(`${issuer} ${subject}`).slice(0, 22)}`

const freeUsername = (edits: Edits, wanted: string, salt: string): string =>
  edits.tx.find('users', 'username', wanted) === null
    ? wanted
    : `${wanted}_${hash(salt + wanted).slice(0, 12)}`

const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')
