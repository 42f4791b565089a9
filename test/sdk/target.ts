import type { Mail } from '@entigrid/core'
import type { TestDatabaseName } from '@entigrid/core/testing'
import {
  type AdminClient,
  type Client,
  collection,
  defineSchema,
  type NewUserProperties,
  type SessionOptions,
  type UserProperties,
} from '@entigrid/sdk'
import { sharedServer } from '../support/application.js'
import { newSandbox, openTestServer } from '../support/server.js'

interface Dog {
  age?: number
  breed?: string
  motto?: string
  tags?: string[]
  address?: { city?: string; street?: string }
  location?: { latitude: number; longitude: number }
}

export const schema = defineSchema({
  collections: {
    dogs: collection<Dog>(),
    toys: collection<{ colour?: string }>(),
    users: collection<UserProperties & { city?: string }, NewUserProperties>(),
  },
  connections: [
    { from: 'users', verb: 'likes', to: 'dogs' },
    { from: 'users', verb: 'likes', to: 'toys' },
    { from: 'dogs', verb: 'chews', to: 'toys' },
  ],
})

interface SuiteOptions extends SessionOptions {
  organization?: string
  application?: string
  /** How many replies to writes are lost on their way, though the work was done. */
  lost?: number
}

export type SuiteClient = Client<typeof schema>

/** An application of its own for one test, open to guests as a sandbox is, and clients of it. */
export interface SuiteTarget {
  client(options?: SuiteOptions): SuiteClient
  admin(options?: SessionOptions): AdminClient
  clientId: string
  clientSecret: string
  /** The system administrator. */
  sysadmin: { username: string; password: string }
  /** The link in the next mail to an address. */
  linkTo(address: string): Promise<URL>
  close(): Promise<void>
}

interface TargetOptions {
  /** On a server of its own, for tests that name organizations and administrators as they like. */
  alone?: boolean
}

export type OpenTarget = (options?: TargetOptions) => Promise<SuiteTarget>

/** Keeps mails until somebody asks for them. */
class Mails {
  readonly #sent: Mail[] = []
  #arrived = () => {}

  async send(mail: Mail): Promise<void> {
    this.#sent.push(mail)
    this.#arrived()
  }

  async linkTo(address: string): Promise<URL> {
    for (;;) {
      const index = this.#sent.findIndex(({ to }) => to === address)
      const [mail] = index < 0 ? [] : this.#sent.splice(index, 1)
      if (mail !== undefined) return new URL(/https:\S+/.exec(mail.text)![0])
      await new Promise<void>((resolve) => {
        this.#arrived = resolve
      })
    }
  }
}

/** Where targets are: a server for all those on a database, or one that goes away with the target. */
export const targetServers = (database: TestDatabaseName) => {
  const mails = new Mails()
  const options = { mailer: mails, publicUrl: 'https://api.example.org' }
  const shared = sharedServer(database, options)
  let made = 0
  return async ({ alone = false }: TargetOptions = {}) => {
    const linkTo = (address: string) => mails.linkTo(address)
    const server = alone ? await openTestServer({ database, options }) : shared.server
    const { url, engine, owner: sysadmin } = server
    const sandbox = alone ? server : await newSandbox(engine, `org${++made}`)
    const close = async () => {
      if (alone) await server.close()
    }
    return { ...sandbox, url, engine, sysadmin, linkTo, close }
  }
}

/** Opens a target with what nearly every test of it needs. */
export const open = async (openTarget: OpenTarget, options?: TargetOptions) => {
  const target = await openTarget(options)
  const client = target.client()
  return {
    target,
    client,
    dogs: client.collection('dogs'),
    toys: client.collection('toys'),
    users: client.collection('users'),
    [Symbol.asyncDispose]: () => target.close(),
  }
}

export const names = (entities: { name?: string }[]) => entities.map((entity) => entity.name)
