import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { type MailPurpose, MailTokens, mailOf, type Outbox } from '../mail/index.js'
import type { Message } from './letters.js'
import type { Links } from './links.js'
import type { MailQuota } from './mail-quota.js'
import type { Realm } from './types.js'

export interface AccountMailsOptions {
  engine: Engine
  outbox: Outbox
  links: Links
  quota: MailQuota
  warn: (message: string) => void
}

const BY = 'system:mail'
const LABELS: Readonly<Record<MailPurpose, string>> = {
  activate: 'Approve',
  confirm: 'Confirm',
  resetpw: 'Choose a new password',
}
const NO_URL =
  'a mail was not sent: its link needs the public URL of the server; set publicUrl (ENTIGRID_PUBLIC_URL)'

/** Letters to the owners of accounts, sent off the path of requests. */
export class AccountMails {
  readonly #options: AccountMailsOptions

  constructor(options: AccountMailsOptions) {
    this.#options = options
  }

  /** Does what leads to a mail once the caller has gone on. Never throws. */
  later(what: string, work: () => Promise<void>): void {
    this.#options.outbox.run(what, work)
  }

  /**
   * Sends each a mail with a link that is good for one purpose; nothing when the account is gone, or has another
   * address by now: the link would prove that whoever had the old one reads the mails of the new one.
   */
  async sendLink(
    realm: Realm,
    { uuid, object: { email } }: StoredEntity,
    purpose: MailPurpose,
    receivers: readonly string[],
    message: Message,
  ): Promise<void> {
    const { engine, links, warn } = this.#options
    if (!links.known) return warn(NO_URL)
    for (const to of receivers) {
      const token = await engine.transact(realm.app, BY, (edits) => {
        const owner = edits.find(realm.collection, uuid)
        const isReached = owner !== null && owner.object['email'] === email
        return isReached ? MailTokens.issue(edits, owner, purpose) : null
      })
      if (token === null) return
      const url = links.to(`${realm.path}/${uuid}/${purpose}`, token)!
      this.send([to], message, { label: LABELS[purpose], url })
    }
  }

  /** Sends each the same mail, unless he got too many already: the accounts of strangers may have his address. */
  send(receivers: readonly string[], message: Message, link?: { label: string; url: string }): void {
    const { outbox, quota, warn } = this.#options
    for (const to of receivers)
      outbox.run(message.subject, async () => {
        if (await quota.mayReceive(to)) outbox.send(mailOf({ ...message, to, link }))
        else warn('a mail was not sent: its receiver got too many in this hour')
      })
  }
}
