import type { EngineOptions } from '@entigrid/core'
import type { TestDatabaseName, WrapDatabase } from '@entigrid/core/testing'
import { afterAll, beforeAll } from 'vitest'
import { openTestServer, type TestServer } from './server.js'

export interface Reply {
  status: number
  headers: Headers
  // Bodies are compared with toEqual and toMatchObject, which check them whole.
  body: ReturnType<typeof JSON.parse>
}

type Params = Record<string, string | number>

export interface Sending {
  params?: Params
  body?: unknown
  headers?: Record<string, string>
}

/** Requests to the application of a test server, with the application's own credentials. */
export class AppClient {
  readonly server: TestServer
  /** URL of the application. */
  readonly root: string
  /** Value of the header that makes a request the application's own. */
  readonly authorization: string

  constructor(server: TestServer) {
    this.server = server
    this.root = `${server.url}/${server.organization}/${server.application}`
    const credentials = Buffer.from(`${server.clientId}:${server.clientSecret}`).toString('base64')
    this.authorization = `Basic ${credentials}`
  }

  /** `path` is below the application. A string is sent as it is, anything else as JSON. */
  async send(
    method: string,
    path: string,
    { params = {}, body, headers = {} }: Sending = {},
  ): Promise<Reply> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(`${this.root}${path}${searchOf(params)}`, {
      method,
      headers: { authorization: this.authorization, ...headers },
      ...(text === undefined ? {} : { body: text }),
    })
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
  }

  get(path: string, params?: Params): Promise<Reply> {
    return this.send('GET', path, { params: params ?? {} })
  }

  post(path: string, body?: unknown): Promise<Reply> {
    return this.send('POST', path, { body })
  }

  put(path: string, body?: unknown): Promise<Reply> {
    return this.send('PUT', path, { body })
  }

  delete(path: string, params?: Params): Promise<Reply> {
    return this.send('DELETE', path, { params: params ?? {} })
  }

  /** Stores entities and returns them in the order given. */
  async create(collection: string, ...bodies: object[]): Promise<Entity[]> {
    const { status, body } = await this.post(`/${collection}`, bodies)
    if (status !== 200 || body.entities.length !== bodies.length) throw new Error(JSON.stringify(body))
    return body.entities
  }

  /** Names of the entities that a query finds, in the order of the reply. */
  async find(path: string, ql: string, params: Params = {}): Promise<string[]> {
    const { status, body } = await this.get(path, { limit: 100, ...params, ql })
    if (status !== 200) throw new Error(JSON.stringify(body))
    return namesOf(body)
  }

  /** Every page of a listing. */
  async pages(path: string, params: Params = {}): Promise<Entity[][]> {
    const pages: Entity[][] = []
    let cursor: string | undefined
    do {
      const { status, body } = await this.get(path, {
        ...params,
        ...(cursor === undefined ? {} : { cursor }),
      })
      if (status !== 200) throw new Error(JSON.stringify(body))
      pages.push(body.entities)
      cursor = body.cursor
    } while (cursor !== undefined)
    return pages
  }
}

export interface Entity {
  uuid: string
  type: string
  name: string
  [property: string]: ReturnType<typeof JSON.parse>
}

export const namesOf = ({ entities }: { entities: { name: string }[] }): string[] =>
  entities.map(({ name }) => name)

export interface AppOptions {
  options?: Partial<EngineOptions>
  wrap?: WrapDatabase
}

/**
 * One application for all tests of the surrounding `describe`: they keep apart by using collections of their
 * own. Call the result inside a test.
 */
export const sharedApp = (database: TestDatabaseName, options: AppOptions = {}): (() => AppClient) => {
  let client: AppClient | undefined
  beforeAll(async () => {
    client = new AppClient(await openTestServer({ database, ...options }))
  })
  afterAll(() => client?.server.close())
  return () => {
    if (client === undefined) throw new Error('Ask for the application inside a test')
    return client
  }
}

let collections = 0

/** The name of a collection that no other test of this file uses. */
export const newCollection = (): string => `kind${++collections}s`

const searchOf = (params: Params): string => {
  const pairs = Object.entries(params).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}
