import { setImmediate } from 'node:timers/promises'
import { Random } from './random.js'
import type { Target, Victim } from './target.js'
import { type Outcome, Trial } from './trial.js'

/** Acknowledgements before a kill, at least and at most. */
const [SOONEST, LATEST] = [20, 400]
/** Turns of the event loop from there to the kill, at most: so that it comes at any stage of a commit. */
const MAX_TURNS = 60
/** Acknowledgements after a database is back, before everything is looked at. */
const AFTERWARDS = 100

export interface Round extends Outcome {
  victim: Victim
}

/** Kills a server, its database or both, again and again. */
export class Kills {
  readonly #target: Target
  readonly #trial: Trial
  readonly #seed: number
  #rounds = 0

  constructor(target: Target, seed: number) {
    this.#target = target
    this.#trial = new Trial(target, seed)
    this.#seed = seed
  }

  /** Has clients write, kills, starts again, and compares what is there with what the clients know. */
  async next(): Promise<Round> {
    const target = this.#target
    const victim = target.victims[this.#rounds++ % target.victims.length]!
    const random = new Random(this.#seed, -this.#rounds)
    const outcome = await this.#trial.run(async (load) => {
      await load.until(random.between(SOONEST, LATEST))
      for (let turn = random.between(0, MAX_TURNS); turn > 0; turn--) await setImmediate()
      load.hold()
      await target.kill(victim)
      if (victim !== 'database') await load.end()
      await target.start(victim)
      load.resume()
      if (victim === 'database') await load.until(AFTERWARDS)
    })
    return { ...outcome, victim }
  }
}
