import type { Caller } from '../../api/caller.js'
import { networkIn } from '../../api/network.js'
import type { Meter, Rates } from '../../api/rates.js'
import { addHeader } from '../../api/reply.js'
import type { ApiReply, ApiRequest } from '../../api/request.js'
import { AppError } from '../../domain/errors.js'
import { openLedger, type RateClient } from './ledger.js'
import { operationsIn } from './operations.js'
import { Quota, type Taken } from './quota.js'

/** Operations a minute; 0 does not limit. */
export interface RateLimits {
  /** From one address, before it is known who asks. An IPv6 address stands for its /64. */
  address: number
  /** Of one user, administrator or client. */
  principal: number
}

export const DEFAULT_RATES: RateLimits = { address: 60_000, principal: 12_000 }

const MINUTE = 60_000
/** Seconds that the counts of a minute are kept. */
const KEPT = 120

export interface RatesOptions {
  limits: RateLimits
  client: RateClient | null
  /** UTC milliseconds. */
  clock: () => number
  /** Told when the counts of the other processes cannot be reached. */
  onError: (error: unknown) => void
}

/** @throws {Error} for a rate that is no whole number. */
export const openRates = ({ limits, client, clock, onError }: RatesOptions): Rates => {
  const ledger = openLedger({ seconds: KEPT, client })
  const quota = (name: keyof RateLimits): Quota | null => {
    const limit = limits[name]
    if (!Number.isSafeInteger(limit) || limit < 0)
      throw new Error(`The rate "${name}" must be a whole number`)
    return limit === 0 ? null : new Quota({ name, limit, window: MINUTE, ledger, clock, onError })
  }
  const quotas = { address: quota('address'), principal: quota('principal') }
  return {
    open: (request) =>
      request.principal !== undefined || (quotas.address ?? quotas.principal) === null
        ? null
        : new RequestMeter(quotas, request),
  }
}

interface Quotas {
  address: Quota | null
  principal: Quota | null
}

class RequestMeter implements Meter {
  readonly #quotas: Quotas
  readonly #request: ApiRequest
  readonly #operations: number
  /** Headers of what was taken so far (draft-ietf-httpapi-ratelimit-headers). */
  #policy = ''
  #state = ''

  constructor(quotas: Quotas, request: ApiRequest) {
    this.#quotas = quotas
    this.#request = request
    this.#operations = operationsIn(request)
  }

  admitAddress(): Promise<void> | void {
    const network = networkIn(this.#request)
    if (network !== undefined) return this.#admit(this.#quotas.address, network)
  }

  /** Guests share nothing but their addresses, so that those alone are counted. */
  admitCaller({ principal, label }: Caller): Promise<void> | void {
    if (principal.kind !== 'guest' && principal.kind !== 'system')
      return this.#admit(this.#quotas.principal, label)
  }

  sign(reply: ApiReply): ApiReply {
    if (this.#policy === '') return reply
    addHeader(reply, 'RateLimit-Policy', this.#policy)
    addHeader(reply, 'RateLimit', this.#state)
    return reply
  }

  #admit(quota: Quota | null, key: string): Promise<void> | void {
    if (quota === null) return
    const taken = quota.take(key, this.#operations)
    if (taken instanceof Promise) return taken.then((later) => this.#note(quota, later))
    this.#note(quota, taken)
  }

  #note({ name, limit, window, policy }: Quota, { granted, remaining, reset }: Taken): void {
    const more = this.#policy === '' ? '' : ', '
    this.#policy += more + policy
    this.#state += `${more}"${name}";r=${remaining};t=${reset}`
    if (granted) return
    const most = `at most ${limit} operations in ${window / 1000} seconds`
    throw new AppError('too_many_requests', `Too many requests: ${most} for each ${name}`, {
      retryAfter: reset,
    })
  }
}
