import { AppError } from '../../domain/errors.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { MailTokens } from '../mail/index.js'
import type { AccountMails } from './account-mails.js'
import * as letters from './letters.js'
import type { MailQuota } from './mail-quota.js'
import type { Policy, Realm } from './types.js'

export interface AccountsOptions {
  engine: Engine
  mails: AccountMails
  quota: MailQuota
  /** Whether those who were approved of are told. */
  notifiesOfActivation: boolean
  /** UTC milliseconds. */
  clock: () => number
  /** Called when the state of an account changed. */
  forget: (app: number) => void
}

/** What a link did: `confirmed` still waits for approval. */
export type Outcome = 'confirmed' | 'activated' | 'invalid'

/**
 * How accounts and organizations begin (identity rules 1.8): confirmed by whoever reads the mail, then approved of by
 * those who may. `confirmed: false` is one who has yet to follow the link, `activated: false` one who cannot sign in.
 */
export class Accounts {
  readonly #options: AccountsOptions

  constructor(options: AccountsOptions) {
    this.#options = options
  }

  /** Puts a new account into its first state, and sends the mail that leads on; in the transaction that makes it. */
  begin(
    edits: Edits,
    realm: Realm,
    entity: StoredEntity,
    { confirm, approve, notify }: Policy,
  ): StoredEntity {
    if (confirm) {
      edits.afterCommit(() => this.#later(realm, entity, 'confirm'))
      return edits.update(entity, { activated: false, confirmed: false })
    }
    if (approve) {
      edits.afterCommit(() => this.#later(realm, entity, 'activate'))
      return edits.update(entity, { activated: false })
    }
    if (notify) edits.afterCommit(() => this.#announce(realm, entity))
    return entity
  }

  /** Whether the token of a link is good, which it stays. */
  async isGood(realm: Realm, ref: string, token: unknown, purpose: 'confirm' | 'activate'): Promise<boolean> {
    const { engine, clock } = this.#options
    if (!MailTokens.isToken(token)) return false
    const owner = await engine.find(realm.app, realm.collection, ref)
    if (owner === null) return false
    const known = await engine.store.dictionary(owner, MailTokens.dictionary)
    return MailTokens.isGood(known, owner, purpose, token, clock())
  }

  /** Uses up the token of a confirmation; the owner is active then, or waits for approval. */
  async confirm(realm: Realm, ref: string, token: unknown, principal: string): Promise<Outcome> {
    if (!MailTokens.isToken(token)) return 'invalid'
    const owner = await this.#options.engine.find(realm.app, realm.collection, ref)
    if (owner === null) return 'invalid'
    const policy = await realm.policy()
    return this.#options.engine.transact(realm.app, principal, (edits) => {
      if (!MailTokens.consume(edits, owner, 'confirm', token)) return 'invalid'
      const proved = this.prove(edits, realm, edits.get(realm.collection, owner.uuid), policy)
      return proved.object['activated'] === false ? 'confirmed' : 'activated'
    })
  }

  /** Notes that whoever the account is of reads the mails of its address, and lets him go on. */
  prove(edits: Edits, realm: Realm, current: StoredEntity, policy: Policy): StoredEntity {
    MailTokens.drop(edits, current, 'confirm')
    // Whoever was switched off meanwhile is not switched on by an old link.
    const waits = current.object['confirmed'] === false && isWaiting(current)
    const isActivated = waits && !policy.approve
    const updated = edits.update(current, { confirmed: true, ...(isActivated ? { activated: true } : {}) })
    edits.afterCommit(() => {
      this.#options.forget(realm.app)
      if (waits && policy.approve) this.#askForApproval(realm, updated)
      if (isActivated && policy.notify) this.#announce(realm, updated)
    })
    return updated
  }

  /** Uses up the token that those who may approve were sent. */
  async activate(realm: Realm, ref: string, token: unknown, principal: string): Promise<Outcome> {
    if (!MailTokens.isToken(token)) return 'invalid'
    const owner = await this.#options.engine.find(realm.app, realm.collection, ref)
    if (owner === null) return 'invalid'
    const policy = await realm.policy()
    return this.#options.engine.transact(realm.app, principal, (edits) => {
      if (!MailTokens.consume(edits, owner, 'activate', token)) return 'invalid'
      const current = edits.get(realm.collection, owner.uuid)
      MailTokens.drop(edits, current, 'activate')
      if (!isWaiting(current)) return 'activated'
      const updated = edits.update(current, { activated: true })
      edits.afterCommit(() => {
        this.#options.forget(realm.app)
        if (this.#options.notifiesOfActivation) this.#tell(realm, updated, letters.activated(realm, updated))
        if (policy.notify) this.#announce(realm, updated)
      })
      return 'activated'
    })
  }

  /**
   * Sends the mail again that leads on, if there is one to send. Tells nobody, by its time neither.
   * @throws {AppError} `too_many_requests`
   */
  async resend(realm: Realm, ref: string, network: string | undefined): Promise<void> {
    await this.#options.quota.ask(network)
    this.#options.mails.later('reactivate', async () => {
      const owner = await this.#options.engine.find(realm.app, realm.collection, ref)
      const purpose = owner === null ? null : leadingOn(owner, await realm.policy())
      if (owner === null || purpose === null) return
      if (await this.#options.quota.mayMail(owner.uuid, purpose)) await this.#send(realm, owner, purpose)
    })
  }

  /** Another e-mail address has to be confirmed where the first had to be; until then the account stays as it is. */
  readdressed({ uuid }: StoredEntity, realmOf: () => Promise<Realm | null>): void {
    this.#options.mails.later('confirm', async () => {
      const realm = await realmOf()
      const user = realm === null ? null : await this.#options.engine.find(realm.app, 'users', uuid)
      if (realm !== null && user !== null && (await realm.policy()).confirm)
        await this.#send(realm, user, 'confirm')
    })
  }

  #later(realm: Realm, entity: StoredEntity, purpose: 'confirm' | 'activate'): void {
    this.#options.mails.later(purpose, () => this.#send(realm, entity, purpose))
  }

  async #send(realm: Realm, entity: StoredEntity, purpose: 'confirm' | 'activate'): Promise<void> {
    const [receivers, message] =
      purpose === 'confirm'
        ? [await realm.receivers(entity), letters.confirmation(realm, entity)]
        : [await realm.approvers(entity), letters.request(realm, entity)]
    await this.#options.mails.sendLink(realm, entity, purpose, receivers, message)
  }

  #askForApproval(realm: Realm, entity: StoredEntity): void {
    this.#later(realm, entity, 'activate')
    this.#tell(realm, entity, letters.confirmed(realm))
  }

  #tell(realm: Realm, entity: StoredEntity, message: letters.Message): void {
    this.#options.mails.later(message.subject, async () =>
      this.#options.mails.send(await realm.receivers(entity), message),
    )
  }

  #announce(realm: Realm, entity: StoredEntity): void {
    const message = letters.fresh(realm, entity)
    this.#options.mails.later(message.subject, async () =>
      this.#options.mails.send(await realm.approvers(entity), message),
    )
  }
}

/** What the mail that an account waits for is about; `null` when it waits for none. */
const leadingOn = (owner: StoredEntity, policy: Policy): 'confirm' | 'activate' | null => {
  const { confirmed, activated, disabled } = owner.object
  if (disabled === true) return null
  if (confirmed === false || (policy.confirm && confirmed !== true && activated !== false)) return 'confirm'
  return policy.approve && isWaiting(owner) ? 'activate' : null
}

/** Not activated yet, and not switched off either. */
const isWaiting = ({ object }: StoredEntity): boolean =>
  object['activated'] === false && object['deactivated'] === undefined

/** @throws {AppError} `illegal_argument` where nobody may register himself. */
export const closedRegistration = (): AppError =>
  new AppError('illegal_argument', 'Public organization registration is disabled')
