import { isDeepStrictEqual } from 'node:util'
import { type Door, type Reply, type Sending, send, storedOf } from './door.js'
import { type Attempt, type Fact, isSame, type Journal } from './journal.js'
import type { Random } from './random.js'
import { created, REQUESTS, type Request, type Wish } from './requests.js'

/** What a client is told about the world around it. */
export interface Surroundings {
  /** Called after every request that was acknowledged. */
  acknowledged(): void
  /** Resolves when it makes sense to try again after a reply that said "later". */
  available(): Promise<unknown>
}

/** Sends requests one after another, and writes down what it may rely on. */
export class Client {
  readonly #door: Door
  readonly #journal: Journal
  readonly #random: Random
  readonly #around: Surroundings
  readonly #id: number
  /** Keys of its own things that are there for sure. */
  readonly #own = new Set<string>()
  readonly #wish: Wish
  /** Requests with an idempotency key whose outcome is not known. */
  readonly #unanswered = new Map<Attempt, Request>()
  #names = 0
  /** Replies so far, by status. */
  readonly statuses = new Map<number, number>()

  /** `round` keeps names apart from those of the same client in earlier rounds. */
  constructor(options: {
    door: Door
    journal: Journal
    random: Random
    around: Surroundings
    id: number
    round: number
  }) {
    this.#door = options.door
    this.#journal = options.journal
    this.#random = options.random
    this.#around = options.around
    this.#id = options.id
    const client = `c${options.id}-`
    for (const key of this.#journal.keys()) if (key.split(' ')[1]!.startsWith(client)) this.#own.add(key)
    this.#wish = {
      journal: this.#journal,
      random: this.#random,
      own: (collection) => [...this.#own].filter((key) => isOf(key, collection)),
      connections: () => [...this.#own].filter(isConnection),
      newName: () => `${client}${options.round}-${++this.#names}`,
    }
  }

  /** Sends requests until `isOver`, or until the connection is lost. */
  async run(isOver: () => boolean): Promise<void> {
    if (this.#wish.own('users').length === 0) await this.#signUp()
    while (!isOver()) {
      const request = this.#random.of(REQUESTS)!(this.#wish)
      if (request === undefined) continue
      if (!(await this.#perform(request))) return
      if (this.#random.between(1, 8) === 1 && !(await this.#lookBack())) return
    }
  }

  /** Sends again what has an idempotency key and was not answered, twice at once: it must be carried out once. */
  async repeat(): Promise<void> {
    for (const [attempt, request] of this.#unanswered) {
      const both = [request, request].map(({ method, path, ...sending }) => this.#send(method, path, sending))
      const [one, other] = await Promise.all(both)
      if (one?.status !== 200 || other?.status !== 200 || !isDeepStrictEqual(storedOf(one), storedOf(other)))
        this.#journal.report(
          `${attempt.request}, sent twice more, was answered with ${show(one)} and ${show(other)}`,
        )
      else this.#keep(attempt, one)
    }
    this.#unanswered.clear()
  }

  /** Makes the user that the client changes from then on. */
  async #signUp(): Promise<void> {
    const username = `c${this.#id}-user`
    // What the server would make up otherwise is given, so that all of the entity is known.
    const body = { key: `users ${username}`, username, picture: 'none', activated: true, stamp: username }
    await this.#perform({ method: 'POST', path: 'users', body, changes: [created(body)] })
  }

  /** Returns whether there was a reply. */
  async #perform(request: Request): Promise<boolean> {
    const { method, path, changes, additions } = request
    const attempt = this.#journal.begin(`${method} /${path} of client ${this.#id}`, changes, additions)
    const reply = await this.#send(method, path, request)
    if (reply === null) this.#doubt(attempt, request)
    else if (reply.status === 200) this.#keep(attempt, reply)
    else if (reply.status === 503) await this.#wait(attempt, request, reply)
    else {
      this.#journal.refuse(attempt)
      const isTaken = reply.body.error === 'duplicate_unique_property_exists'
      if (!isTaken || request.isContested !== true) this.#reportReply(attempt.request, reply)
    }
    return reply !== null
  }

  /** Reads one of its own entities, which must be as it left it. */
  async #lookBack(): Promise<boolean> {
    const key = this.#random.of(this.#wish.own('dogs'))
    if (key === undefined) return true
    const path = key.replace(' ', '/')
    const fact = this.#journal.fact(key)
    const reply = await this.#send('GET', path)
    if (reply === null) return false
    const there: Fact = storedOf(reply)[0] ?? null
    if (reply.status === 200 ? !isSame(there, fact) : reply.status !== 503)
      this.#reportReply(`GET /${path}, stored as ${JSON.stringify(fact)},`, reply)
    return true
  }

  async #send(method: string, path: string, sending?: Sending): Promise<Reply | null> {
    let reply: Reply
    try {
      reply = await send(this.#door, method, path, sending)
    } catch {
      return null
    }
    this.statuses.set(reply.status, (this.statuses.get(reply.status) ?? 0) + 1)
    return reply
  }

  #keep(attempt: Attempt, reply: Reply): void {
    this.#journal.acknowledge(attempt, storedOf(reply))
    for (const { key, after } of attempt.changes) {
      if (after === null) this.#own.delete(key)
      else this.#own.add(key)
    }
    this.#around.acknowledged()
  }

  /** What is in doubt is left alone until it was looked at. */
  #doubt(attempt: Attempt, request: Request): void {
    this.#journal.doubt(attempt)
    if (request.headers !== undefined) this.#unanswered.set(attempt, request)
    for (const { key } of attempt.changes) this.#own.delete(key)
  }

  async #wait(attempt: Attempt, request: Request, reply: Reply): Promise<void> {
    const text = String(reply.body.error_description)
    if (reply.headers.get('retry-after') === null) this.#reportReply(attempt.request, reply)
    if (text.includes('nothing was stored')) this.#journal.refuse(attempt)
    else this.#doubt(attempt, request)
    await this.#around.available()
  }

  #reportReply(request: string, reply: Reply): void {
    this.#journal.report(`${request} was answered with ${show(reply)}`)
  }
}

const show = (reply: Reply | null | undefined): string =>
  reply === null || reply === undefined ? 'nothing' : `${reply.status}: ${JSON.stringify(reply.body)}`

const isConnection = (key: string): boolean => key.split(' ').length > 2

const isOf = (key: string, collection: string): boolean =>
  key.startsWith(`${collection} `) && !isConnection(key)
