import { createHmac } from 'node:crypto'
import {
  type AttemptRule,
  type Attempts,
  afterFailure,
  afterSuccess,
  waitFor,
} from '../../domain/attempts.js'
import { AppError } from '../../domain/errors.js'
import { fold } from '../../domain/text.js'
import type { AttemptStore } from '../../storage/attempts.js'
import type { StoredEntity } from '../../storage/store.js'
import type { GoodAddresses } from './good-addresses.js'
import { deriveKey } from './secret-box.js'

/** One try to prove with a password who one is. */
export interface SignIn {
  /** Number of the application that the account is in. */
  app: number
  /** What was given as the account's name. */
  ref: string
  /** The account, or `null` if there is none. */
  user: StoredEntity | null
  password: string
  /** The network that the try comes from; absent in process. */
  network: string | undefined
}

/** One try to prove it with a code, by somebody whose password was right. */
export interface CodeTry {
  user: StoredEntity
  network: string | undefined
  /** Whether the code is right. */
  verify: () => Promise<boolean>
}

export interface SignInsOptions {
  attempts: AttemptStore
  addresses: GoodAddresses
  /** Whether it is the user's password, in the same time for a missing user. */
  verify: (user: StoredEntity | null, password: string) => Promise<boolean>
  secret: Buffer
  /** UTC milliseconds. */
  clock: () => number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Of one account from one address: ten in a row, then one more try after each wait. */
const PAIR: AttemptRule = {
  failures: 10,
  waits: [MINUTE, 5 * MINUTE, 15 * MINUTE],
  memory: 24 * HOUR,
  since: 'last',
}
/** From one address, with whatever accounts. */
const ADDRESS: AttemptRule = { failures: 100, memory: HOUR, since: 'first' }
/** Of one account, from whatever addresses. */
const ACCOUNT: AttemptRule = { failures: 50, memory: HOUR, since: 'first' }
/** Codes of one account, from whatever addresses: they are short, and only who knows the password is asked for one. */
const CODES: AttemptRule = PAIR

interface Counter {
  key: string
  rule: AttemptRule
  /** Whether success makes all failures before it be forgotten, and not only its own try. */
  forgives: boolean
}

/** A counter that refuses, and for how many milliseconds. */
interface Refusal {
  counter: Counter
  wait: number
}

/**
 * Slows down whoever guesses passwords. Each try counts as failed before the password is looked at, and is taken
 * back when it was right: of many at once no more are verified than may fail. An account behaves the same whether
 * it exists or not.
 */
export class SignIns {
  readonly #options: SignInsOptions
  readonly #key: Buffer
  /** Tries under way in this process, by counter. */
  readonly #pending = new Map<string, Set<Promise<void>>>()

  constructor(options: SignInsOptions) {
    this.#options = options
    this.#key = deriveKey(options.secret, 'sign-ins')
  }

  /** Whether the password is right. @throws {AppError} `too_many_requests` without having looked at it. */
  async check(signIn: SignIn): Promise<boolean> {
    const { pair, address, account } = this.#countersOf(signIn)
    const counters = [pair, address, account].filter((counter) => counter !== null)
    const isExempt = (counter: Counter) => counter === account && this.#options.addresses.isGood(signIn)
    const isRight = await this.#attempt(counters, isExempt, () =>
      this.#options.verify(signIn.user, signIn.password),
    )
    if (isRight) await this.#options.addresses.remember(signIn)
    return isRight
  }

  /**
   * Whether the code is right. Apart from passwords, so that a right password forgives no wrong code.
   * @throws {AppError} `too_many_requests` without having looked at it.
   */
  async checkCode({ user, network, verify }: CodeTry): Promise<boolean> {
    const codes = this.#counter('codes', CODES, `${user.app}/${user.uuid}`, true)
    const counters = network === undefined ? [codes] : [codes, this.#counter('address', ADDRESS, network)]
    return this.#attempt(counters, () => false, verify)
  }

  /**
   * Counts wrong client credentials, by address alone: a secret is too long to be guessed, and a right one is never
   * refused. @throws {AppError} `too_many_requests` in place of the error that would tell that they are wrong.
   */
  async clientFailed(network: string | undefined): Promise<void> {
    if (network === undefined) return
    const refusal = await this.#reserve([this.#counter('address', ADDRESS, network)])
    if (refusal !== null) throw tooMany(refusal.wait)
  }

  /** Verifies within what the counters bear; one that refuses may turn out not to count here. */
  async #attempt(
    wanted: readonly Counter[],
    isExempt: (counter: Counter) => boolean | Promise<boolean>,
    verify: () => Promise<boolean>,
  ): Promise<boolean> {
    const { counters, end } = await this.#admit(wanted, isExempt)
    try {
      return await this.#verified(counters, verify)
    } finally {
      end()
    }
  }

  /** Counts a try as failed, and resolves with the counters that it is in; `end` tells that it is over. */
  async #admit(
    wanted: readonly Counter[],
    isExempt: (counter: Counter) => boolean | Promise<boolean>,
  ): Promise<{ counters: readonly Counter[]; end: () => void }> {
    let counters = wanted
    for (;;) {
      const refusal = await this.#reserve(counters)
      if (refusal === null) return { counters, end: this.#begin(counters) }
      const pending = this.#pending.get(refusal.counter.key)
      // Some of those under way may turn out right, and then there is room.
      if (pending !== undefined) await Promise.all(pending)
      else if (await isExempt(refusal.counter))
        counters = counters.filter((counter) => counter !== refusal.counter)
      else throw tooMany(refusal.wait)
    }
  }

  /** Notes a try that is under way, until the result is called. */
  #begin(counters: readonly Counter[]): () => void {
    let end = (): void => undefined
    const running = new Promise<void>((resolve) => {
      end = resolve
    })
    for (const { key } of counters) this.#pending.set(key, (this.#pending.get(key) ?? new Set()).add(running))
    return () => {
      for (const { key } of counters) {
        const pending = this.#pending.get(key)
        pending?.delete(running)
        if (pending?.size === 0) this.#pending.delete(key)
      }
      end()
    }
  }

  async #verified(counters: readonly Counter[], verify: () => Promise<boolean>): Promise<boolean> {
    let isRight: boolean | null = null
    try {
      isRight = await verify()
      return isRight
    } finally {
      // What could not be verified did not fail, and forgives nothing.
      if (isRight !== false) await this.#takeBack(counters, isRight === true)
    }
  }

  /** Counts one failure in each counter, or in none when one of them refuses: the one that does so longest. */
  #reserve(counters: readonly Counter[]): Promise<Refusal | null> {
    const now = this.#options.clock()
    return this.#options.attempts.change(keysOf(counters), (known) => {
      const refusal = longest(counters, known, now)
      if (refusal !== null) return { records: known, result: refusal }
      const records = counters.map(({ rule }, i) => afterFailure(known[i] ?? null, rule, now))
      return { records, result: null }
    })
  }

  #takeBack(counters: readonly Counter[], isRight: boolean): Promise<void> {
    return this.#options.attempts.change(keysOf(counters), (known) => ({
      records: counters.map(({ forgives }, i) =>
        forgives && isRight ? null : afterSuccess(known[i] ?? null),
      ),
      result: undefined,
    }))
  }

  /** By uuid where there is one, so that a username and an e-mail address do not double the tries. */
  #countersOf({ app, ref, user, network }: SignIn) {
    // Another application may have somebody of the same uuid, whose failures are his.
    const account = `${app}/${user === null ? fold(ref) : user.uuid}`
    return {
      pair: network === undefined ? null : this.#counter('pair', PAIR, `${account} ${network}`, true),
      address: network === undefined ? null : this.#counter('address', ADDRESS, network),
      account: this.#counter('account', ACCOUNT, account),
    }
  }

  /** Hashed: what people type as a name may be their password. */
  #counter(kind: string, rule: AttemptRule, what: string, forgives = false): Counter {
    const key = createHmac('sha256', this.#key).update(`${kind} ${what}`).digest('base64url')
    return { key, rule, forgives }
  }
}

const keysOf = (counters: readonly Counter[]): string[] => counters.map(({ key }) => key)

const longest = (
  counters: readonly Counter[],
  known: readonly (Attempts | null)[],
  now: number,
): Refusal | null => {
  let found: Refusal | null = null
  for (const [i, counter] of counters.entries()) {
    const wait = waitFor(known[i] ?? null, now)
    // That of the account comes last, and only counts where no other refuses.
    if (wait > 0 && (found === null || (counter.rule !== ACCOUNT && wait > found.wait)))
      found = { counter, wait }
  }
  return found
}

const tooMany = (wait: number): AppError =>
  new AppError('too_many_requests', 'Too many failed sign-ins; try again later', {
    retryAfter: Math.ceil(wait / 1000),
  })
