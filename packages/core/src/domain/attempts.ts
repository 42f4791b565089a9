/** What is known of failed attempts under one key. Times are UTC milliseconds. */
export interface Attempts {
  failures: number
  /** No attempt is let through before this. */
  lockedUntil: number
  /** From here on nothing is known. */
  forgetAt: number
}

/** How many failures are borne under a key, and what comes then. */
export interface AttemptRule {
  /** Failures that lock. */
  failures: number
  /**
   * Milliseconds of the lock after that failure, and after each one that follows; the last is for all others.
   * Absent, the key stays locked until it is forgotten.
   */
  waits?: readonly number[]
  /** Milliseconds after which failures are forgotten. */
  memory: number
  /** Whether they are counted from the last failure, which prolongs them, or from the first. */
  since: 'last' | 'first'
}

/** Milliseconds until an attempt is let through; 0 is now. */
export const waitFor = (known: Attempts | null, now: number): number =>
  known === null || known.forgetAt <= now ? 0 : Math.max(0, known.lockedUntil - now)

/** What is known once an attempt was let through, which counts as failed until it succeeds. */
export const afterFailure = (known: Attempts | null, rule: AttemptRule, now: number): Attempts => {
  const before = known === null || known.forgetAt <= now ? null : known
  const failures = (before?.failures ?? 0) + 1
  const forgetAt = rule.since === 'first' && before !== null ? before.forgetAt : now + rule.memory
  const excess = failures - rule.failures
  if (excess < 0) return { failures, lockedUntil: 0, forgetAt }
  const wait = rule.waits?.[Math.min(excess, rule.waits.length - 1)]
  return { failures, lockedUntil: wait === undefined ? forgetAt : now + wait, forgetAt }
}

/** What is known once an attempt succeeded that had been counted: one failure less, and so no lock. */
export const afterSuccess = (known: Attempts | null): Attempts | null =>
  known === null || known.failures <= 1 ? null : { ...known, failures: known.failures - 1, lockedUntil: 0 }
