import type { StoredEntity } from '../../storage/store.js'

/** How administrators and organizations begin. Everything is off when absent, but `open` and `notifyOfActivation`. */
export interface RegistrationOptions {
  /** Whether anybody may make organizations and administrators; otherwise system administrators alone. */
  open?: boolean | undefined
  /** Administrators who register themselves must follow a link in a mail. */
  confirmAdmins?: boolean | undefined
  /** An organization's owner must follow a link in a mail, before its applications answer. */
  confirmOrganizations?: boolean | undefined
  /** The system administrator must approve of them, by a link in a mail. */
  approveAdmins?: boolean | undefined
  approveOrganizations?: boolean | undefined
  /** Who was approved of is told by a mail. */
  notifyOfActivation?: boolean | undefined
  /** The system administrator is told of each by a mail. */
  notifyOfNewAdmins?: boolean | undefined
  notifyOfNewOrganizations?: boolean | undefined
  /** Where mails to the system administrator go. */
  sysadminEmail?: string | undefined
}

/** What a new account, or organization, needs before it is good. */
export interface Policy {
  /** Whoever registers must follow a link in a mail. */
  confirm: boolean
  /** Somebody must approve. */
  approve: boolean
  /** The one who could approve is told of each new one. */
  notify: boolean
}

/** Words of letters about one kind of account, in the subjects that Usergrid's users know. */
export interface Words {
  confirm(name: string): string
  confirmed: string
  request(name: string): string
  activated(name: string): string
  fresh(name: string): string
  /** `account`, or `organization`. */
  noun: string
}

/** Where accounts of one kind are, and what holds for them. Organizations, too, are confirmed and approved. */
export interface Realm {
  /** Number of the application that they are in. */
  app: number
  collection: 'users' | 'organizations'
  /** Below the public URL; behind it comes the uuid: `/acme/shop/users`. */
  path: string
  /** What people know it by. */
  title: string
  words: Words
  policy(): Promise<Policy>
  /** E-mail addresses of those who may approve. */
  approvers(entity: StoredEntity): Promise<string[]>
  /** E-mail addresses of those whom it concerns. */
  receivers(entity: StoredEntity): Promise<string[]>
  nameOf(entity: StoredEntity): string
  /** Where people are sent in place of a page about an account, `null` for the page. `ref` is from its address. */
  view(ref: string, page: 'activate' | 'confirm' | 'resetpw_set_success'): Promise<string | null>
}

/** What keeps machines from asking for mails: the widget on the page, and the check of what it sent. */
export interface Captcha {
  siteKey: string
  /** URL of the script that shows the widget; by default that of reCAPTCHA. */
  script?: string | undefined
  /** Class of the element that the script fills; by default `g-recaptcha`. */
  className?: string | undefined
  verify(response: string, address: string | undefined): Promise<boolean>
}
