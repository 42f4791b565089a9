import { isMailAddress } from '../../domain/account-names.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { MailTokens } from '../mail/index.js'
import type { Passwords } from '../users/index.js'
import type { AccountMails } from './account-mails.js'
import type { Accounts } from './accounts.js'
import { passwordReset } from './letters.js'
import type { MailQuota } from './mail-quota.js'
import type { Realm } from './types.js'

export interface ResetsOptions {
  engine: Engine
  passwords: Passwords
  accounts: Accounts
  mails: AccountMails
  quota: MailQuota
  /** UTC milliseconds. */
  clock: () => number
  /** Called when the state of an account changed. */
  forget: (app: number) => void
}

/** Beside a user: who he is to providers. */
const IDENTITIES = 'identities'

/** Forgotten passwords: a link in a mail sets a new one, once. */
export class Resets {
  readonly #options: ResetsOptions

  constructor(options: ResetsOptions) {
    this.#options = options
  }

  /**
   * Sends the link, if the reference is of an account that has an e-mail address. Tells nobody whether it is, by its
   * time neither. @throws {AppError} `too_many_requests`
   */
  async request(realm: Realm, ref: string, network: string | undefined): Promise<void> {
    const { engine, mails, quota } = this.#options
    await quota.ask(network)
    mails.later('resetpw', async () => {
      const user = await engine.find(realm.app, 'users', ref)
      if (user === null || user.object['disabled'] === true || !isMailAddress(user.object['email'])) return
      if (!(await quota.mayMail(user.uuid, 'resetpw'))) return
      await mails.sendLink(realm, user, 'resetpw', await realm.receivers(user), passwordReset(realm))
    })
  }

  /** The account that a link is of, while its token is good. */
  async find(realm: Realm, ref: string, token: unknown): Promise<StoredEntity | null> {
    const { engine, clock } = this.#options
    const user = await engine.find(realm.app, 'users', ref)
    if (user === null) return null
    const known = await engine.store.dictionary(user, MailTokens.dictionary)
    return MailTokens.isGood(known, user, 'resetpw', token, clock()) ? user : null
  }

  /**
   * Sets the password and uses the token up; `false` when that is not good any more. Whatever the old password let
   * in is out, and so are accounts elsewhere that are linked, unless it was known before who reads the mails: whoever
   * gave the address may have been a stranger. Who has yet to confirm has done so by reading the mail.
   * @throws {AppError} `error_password_policy_violation` and what else is wrong with the password.
   */
  async set(
    realm: Realm,
    user: StoredEntity,
    { token, password, principal }: { token: string; password: string; principal: string },
  ): Promise<boolean> {
    const { engine, passwords, accounts, forget } = this.#options
    const policy = await realm.policy()
    const change = await passwords.changing(engine, user, { oldPassword: null, newPassword: password })
    return engine.transact(user.app, principal, (edits) => {
      if (!MailTokens.consume(edits, user, 'resetpw', token)) return false
      change(edits)
      const current = edits.get('users', user.uuid)
      if (current.object['confirmed'] !== true)
        for (const key of edits.tx.dictionary(current, IDENTITIES).keys())
          edits.tx.setEntry(current, IDENTITIES, key, null)
      if (current.object['confirmed'] === false) accounts.prove(edits, realm, current, policy)
      edits.afterCommit(() => forget(user.app))
      return true
    })
  }
}
