import { examine } from '@entigrid/core'
import { type Door, send, storedOf } from './door.js'
import { type Findings, Journal, type Properties } from './journal.js'
import { Load } from './load.js'
import { lookAtAll, lookByQueries } from './look.js'
import { ACCOUNTS, HITS, HUBS } from './places.js'
import { created } from './requests.js'

export interface Outcome extends Findings {
  /** How many replies there were, by status. */
  statuses: ReadonlyMap<number, number>
}

/** Clients that write to servers on one database while something goes wrong, once or again and again. */
export class Trial {
  readonly #doors: readonly Door[]
  readonly #database: string
  readonly #seed: number
  readonly #journal = new Journal()
  #rounds = 0

  constructor({ doors, database }: { doors: readonly Door[]; database: string }, seed: number) {
    this.#doors = doors
    this.#database = database
    this.#seed = seed
  }

  /** Has the clients write while `disturb` runs, and compares what is there then with what they know. */
  async run(disturb: (load: Load) => Promise<void>): Promise<Outcome> {
    if (this.#rounds++ === 0) await this.#prepare()
    const doorOf = (client: number) => this.#doors[client % this.#doors.length]!
    const load = new Load(doorOf, this.#journal, { seed: this.#seed, round: this.#rounds })
    await disturb(load)
    await load.end()
    await load.repeat()
    return { ...(await this.#look()), statuses: load.statuses }
  }

  /** Makes what all clients share. */
  async #prepare(): Promise<void> {
    for (const name of HUBS) await this.#make({ key: `hubs ${name}`, name, stamp: name })
    for (const name of [...HITS, ...ACCOUNTS]) {
      const key = `sums ${name}`
      await this.#make({ key, name, stamp: name, n: 0 })
      this.#journal.addTo(key)
    }
  }

  async #make(body: Properties & { key: string }): Promise<void> {
    const [collection] = body.key.split(' ')
    const reply = await send(this.#doors[0]!, 'POST', collection!, { body })
    if (reply.status !== 200) throw new Error(`${body.key} was not made: ${JSON.stringify(reply.body)}`)
    if (collection === 'hubs')
      this.#journal.acknowledge(this.#journal.begin('POST /hubs', [created(body)]), storedOf(reply))
  }

  async #look(): Promise<Findings> {
    const door = this.#doors.at(-1)!
    const { facts, problems } = await lookAtAll(door)
    const touched = new Map(this.#journal.touched.map((key) => [key, facts.get(key) ?? null]))
    const findings = this.#journal.compare(facts)
    const others = await lookByQueries(door, touched)
    const examined = (await examine(this.#database)).findings.map(
      ({ problem, count, examples }) => `${count} of: ${problem} (${examples.join(', ')})`,
    )
    return { ...findings, problems: [...findings.problems, ...problems, ...others, ...examined] }
  }
}
