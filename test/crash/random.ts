/** Numbers that a seed decides (the generator xorshift32). */
export class Random {
  #state: number

  /** The same `seed` and `branch` give the same numbers, other ones others. */
  constructor(seed: number, branch = 0) {
    // Spreads neighbouring seeds far apart; the state must not be 0.
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(branch + 1, 0x85ebca6b)) >>> 0 || 1
    for (let i = 0; i < 8; i++) this.#next()
  }

  /** A whole number of `least` to `most`. */
  between(least: number, most: number): number {
    return least + (this.#next() % (most - least + 1))
  }

  /** One of them; `undefined` if there are none. */
  of<T>(things: readonly T[]): T | undefined {
    return things[this.between(0, things.length - 1)]
  }

  #next(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x >>> 0
    return this.#state
  }
}
