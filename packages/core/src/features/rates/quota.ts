import type { Ledger } from './ledger.js'

export interface QuotaOptions {
  /** Names the quota in headers and keys. */
  name: string
  /** Points that one key has in a window. */
  limit: number
  /** Milliseconds. Windows begin at whole multiples of it. */
  window: number
  ledger: Ledger
  /** UTC milliseconds. */
  clock: () => number
  onError: (error: unknown) => void
}

/** What became of a wish for points. */
export interface Taken {
  granted: boolean
  /** Points left in the window, as far as this process knows. */
  remaining: number
  /** Seconds until the window ends. */
  reset: number
}

/** What this process hands out under one key, in one window. */
interface Share {
  used: number
  /** Points that may be used here before the ledger is asked again. */
  granted: number
  /** How many of those are in the ledger. */
  booked: number
  /** Points that nobody had taken when the ledger was last asked. */
  left: number
  asking: Promise<void> | null
}

/** Part of a quota that a process takes at a time. */
const LEASE = 0.02
/** Milliseconds that a ledger is not asked again after it failed. */
const PAUSE = 5_000

/**
 * Points for each key and window, counted in a ledger that processes share, without asking it each time. A process
 * hands out a lease of 2 % unasked, books it when it is used up, and takes another with it. So what all processes
 * hand out differs from the limit by one lease for each process but one: too much by what was not booked yet, or too
 * little by what was booked and not used. A single process is exact. While the ledger cannot be reached, each
 * process has the whole limit to itself.
 */
export class Quota {
  readonly name: string
  readonly limit: number
  readonly window: number
  /** As the header `RateLimit-Policy` has it (draft-ietf-httpapi-ratelimit-headers). */
  readonly policy: string
  readonly #options: QuotaOptions
  readonly #lease: number
  #shares = new Map<string, Share>()
  #current = -1
  #resumeAt = 0

  constructor(options: QuotaOptions) {
    this.name = options.name
    this.limit = options.limit
    this.window = options.window
    this.policy = `"${options.name}";q=${options.limit};w=${options.window / 1000}`
    this.#options = options
    this.#lease = Math.max(1, Math.ceil(options.limit * LEASE))
  }

  /** Takes points, all of them or none. Only a share that is used up makes it wait. */
  take(key: string, points: number): Taken | Promise<Taken> {
    const now = this.#options.clock()
    const current = Math.floor(now / this.window)
    if (current !== this.#current) {
      this.#current = current
      this.#shares = new Map()
    }
    let share = this.#shares.get(key)
    if (share === undefined) {
      const granted = Math.min(this.#lease, this.limit)
      share = { used: 0, granted, booked: 0, left: this.limit - granted, asking: null }
      this.#shares.set(key, share)
    }
    if (share.used + points > share.granted) return this.#extend(share, key, points, current)
    share.used += points
    return this.#taken(share, true, now)
  }

  async #extend(share: Share, key: string, points: number, window: number): Promise<Taken> {
    while (share.used + points > share.granted && share.left > 0) {
      const wanted = Math.max(this.#lease, share.used + points - share.granted)
      share.asking ??= this.#ask(share, `${this.name}:${window}:${key}`, wanted).finally(() => {
        share.asking = null
      })
      await share.asking
    }
    const granted = share.used + points <= share.granted
    if (granted) share.used += points
    return this.#taken(share, granted, this.#options.clock())
  }

  async #ask(share: Share, key: string, wanted: number): Promise<void> {
    const { ledger, clock, onError } = this.#options
    try {
      if (clock() < this.#resumeAt) return this.#goOnAlone(share, wanted)
      const unbooked = share.granted - share.booked
      const consumed = await ledger.book(key, unbooked + wanted)
      const before = consumed - unbooked - wanted
      share.granted += Math.min(wanted, Math.max(0, this.limit - before - unbooked))
      share.booked = share.granted
      share.left = Math.max(0, this.limit - consumed)
    } catch (error) {
      this.#resumeAt = clock() + PAUSE
      onError(error)
      this.#goOnAlone(share, wanted)
    }
  }

  #goOnAlone(share: Share, wanted: number): void {
    share.granted = Math.min(this.limit, share.granted + wanted)
    share.left = this.limit - share.granted
  }

  #taken({ used, granted: own, left }: Share, granted: boolean, now: number): Taken {
    const reset = Math.ceil((this.window - (now % this.window)) / 1000)
    return { granted, remaining: own - used + left, reset }
  }
}
