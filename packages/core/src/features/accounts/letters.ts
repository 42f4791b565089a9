import type { StoredEntity } from '../../storage/store.js'
import type { Letter } from '../mail/index.js'
import type { Realm, Words } from './types.js'

/** What a letter says, without its receiver. */
export type Message = Omit<Letter, 'to' | 'link'>

const WEEK = 'The link works once, for seven days.'
const UNASKED = 'If you did not ask for it, do nothing: nothing happens then.'

const userWords = (kind: string): Words => ({
  confirm: (name) => `User Account Confirmation: ${name}`,
  confirmed: 'User Account Confirmed',
  request: (name) => `Request For ${kind} Account Activation ${name}`,
  activated: () => 'User Account Activated',
  fresh: (name) => `New ${kind} Account Activated ${name}`,
  noun: 'account',
})

export const USER_WORDS = userWords('User')
export const ADMIN_WORDS = userWords('Admin User')
export const ORGANIZATION_WORDS: Words = {
  confirm: () => 'Organization Account Confirmation',
  confirmed: 'Organization Account Confirmed',
  request: (name) => `Request For Organization Account Activation ${name}`,
  activated: (name) => `Organization Account Activated: ${name}`,
  fresh: (name) => `New Organization Account Activated ${name}`,
  noun: 'organization',
}

/** Names that others chose are in a letter only where its reader must decide about them. */
const about = (realm: Realm, entity: StoredEntity): string =>
  realm.collection === 'organizations'
    ? `the organization ${realm.nameOf(entity)}`
    : `an account at ${realm.title}`

export const confirmation = (realm: Realm, entity: StoredEntity): Message => ({
  subject: realm.words.confirm(realm.nameOf(entity)),
  paragraphs: [
    `Somebody registered ${about(realm, entity)} with this e-mail address. If it was you, confirm it.`,
  ],
  note: `${WEEK} ${UNASKED}`,
})

export const confirmed = (realm: Realm): Message => ({
  subject: realm.words.confirmed,
  paragraphs: [
    `Your ${realm.words.noun} is confirmed. It has to be approved now; a mail will tell you when that is done.`,
  ],
})

export const request = (realm: Realm, entity: StoredEntity): Message => ({
  subject: realm.words.request(realm.nameOf(entity)),
  paragraphs: [
    `${realm.nameOf(entity)} asks for ${realm.collection === 'organizations' ? 'an organization' : `an account at ${realm.title}`}.`,
    'Approve of it only if you know who this is.',
  ],
  note: `${WEEK} Without it nothing happens.`,
})

export const activated = (realm: Realm, entity: StoredEntity): Message => ({
  subject: realm.words.activated(realm.nameOf(entity)),
  paragraphs: [`Your ${realm.words.noun} at ${realm.title} was approved, and can be used from now on.`],
})

export const fresh = (realm: Realm, entity: StoredEntity): Message => ({
  subject: realm.words.fresh(realm.nameOf(entity)),
  paragraphs: [`There is a new ${realm.words.noun} at ${realm.title}: ${realm.nameOf(entity)}.`],
})

export const passwordReset = (realm: Realm): Message => ({
  subject: 'Password Reset',
  paragraphs: [
    `Somebody asked for a new password for your account at ${realm.title}. If it was you, choose one.`,
  ],
  note: `${WEEK} ${UNASKED}`,
})

/** For the account that somebody else made. */
export const firstPassword = (realm: Realm): Message => ({
  subject: 'Password Reset',
  paragraphs: [`An account at ${realm.title} was made for you. Choose a password for it.`],
  note: WEEK,
})

export const invited = (organization: string, by: string | null): Message => ({
  subject: 'User Invited To Organization',
  paragraphs: [
    `You are now an administrator of the organization ${organization}${by === null ? '' : `, added by ${by}`}.`,
  ],
  note: 'If you do not want to be one, leave the organization, or ask whoever added you.',
})

export const appPin = (realm: Realm, pin: string): Message => ({
  subject: 'Your app pin',
  paragraphs: [`Your pin for signing in at ${realm.title} is ${pin}.`],
  note: 'It works once, for fifteen minutes. Tell it to nobody.',
})
