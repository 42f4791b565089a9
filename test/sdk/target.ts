import {
  type AdminClient,
  type Client,
  collection,
  defineSchema,
  type NewUserProperties,
  type SessionOptions,
  type UserProperties,
} from '@entigrid/sdk'

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
  close(): Promise<void>
}

export type OpenTarget = () => Promise<SuiteTarget>

/** Opens a target with what nearly every test of it needs. */
export const open = async (openTarget: OpenTarget) => {
  const target = await openTarget()
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
