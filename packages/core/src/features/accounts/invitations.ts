import { isMailAddress } from '../../domain/account-names.js'
import type { StoredEntity } from '../../storage/store.js'
import type { AccountMails } from './account-mails.js'
import * as letters from './letters.js'
import type { MailQuota } from './mail-quota.js'
import type { Realm } from './types.js'

export interface InvitationsOptions {
  mails: AccountMails
  quota: MailQuota
  admins: Realm
}

/** Mails to those whom others made administrators of an organization. */
export class Invitations {
  readonly #options: InvitationsOptions

  constructor(options: InvitationsOptions) {
    this.#options = options
  }

  /** An administrator was added; one who was made for it has yet to choose a password of his own. */
  added(
    organization: StoredEntity,
    admin: StoredEntity,
    { by, isNew }: { by: string | null; isNew: boolean },
  ): void {
    const { mails, quota, admins } = this.#options
    mails.later('invitation', async () => {
      if (!(await quota.mayInvite(organization.uuid))) return
      const receivers = await admins.receivers(admin)
      if (isNew) await mails.sendLink(admins, admin, 'resetpw', receivers, letters.firstPassword(admins))
      mails.send(receivers, letters.invited(String(organization.object['name']), plainName(by)))
    })
  }
}

const PLAIN = /^[\p{L}\p{N}._+-]{1,40}$/u

/** A name that is one: others could be a message to people who did not ask for any. */
const plainName = (name: string | null): string | null =>
  name !== null && (PLAIN.test(name) || isMailAddress(name)) ? name : null
