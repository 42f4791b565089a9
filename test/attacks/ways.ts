import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Engine, Principal, Session } from '@entigrid/core'
import type { TestDatabaseName, WrapDatabase } from '@entigrid/core/testing'
import { entigrid } from '@entigrid/server'
import express from 'express'
import { afterAll, beforeAll } from 'vitest'
import { openTestServer, type TestServer } from '../support/server.js'

/** Who asks: over HTTP by a token, elsewhere as a principal. */
export interface Who {
  token?: string
  principal: Principal
}

export interface Answer {
  status: number
  // Bodies are compared with toEqual and toMatchObject, which check them whole.
  body: ReturnType<typeof JSON.parse>
}

export interface Sent {
  body?: unknown
  search?: string
}

/** One way into an application. `path` is below the server: `/test/shop/dogs`. `null` where there is no such request. */
export type Way = (who: Who, method: string, path: string, sent?: Sent) => Promise<Answer | null>

export const GUEST: Who = { principal: { kind: 'guest' } }

export interface AttackedUser extends Who {
  uuid: string
}

/** A server with an application, `test/shop`, as it is when it is new, but for two users. */
export class Attacked {
  readonly server: TestServer
  readonly admin: Who
  readonly ways: ReadonlyMap<string, Way>
  readonly #express: Server
  /** Uuid of the application. */
  shop = ''

  private constructor(server: TestServer, admin: Who, mounted: Server) {
    this.server = server
    this.admin = admin
    this.#express = mounted
    const { port } = mounted.address() as AddressInfo
    const http = overHttp(server.url)
    this.ways = new Map([
      ['http', http],
      ['express', overHttp(`http://127.0.0.1:${port}/mounted/here`)],
      ['handle', handled(server.engine)],
      ['session', inSession(server.engine)],
      ['batch', inBatch(http)],
      ['batch in process', inBatch(handled(server.engine))],
    ])
  }

  static async open(database: TestDatabaseName, wrap?: WrapDatabase): Promise<Attacked> {
    const server = await openTestServer({ database, ...(wrap === undefined ? {} : { wrap }) })
    const app = express().use('/mounted/here', entigrid(server.engine))
    const mounted = createServer(app)
    await new Promise<void>((resolve) => mounted.listen(0, '127.0.0.1', resolve))
    const signIn = await fetch(`${server.url}/management/token`, {
      method: 'POST',
      body: JSON.stringify({ grant_type: 'password', ...server.owner }),
    })
    const { access_token: token } = (await signIn.json()) as { access_token: string }
    const attacked = new Attacked(server, { token, principal: { kind: 'sysadmin' } }, mounted)
    attacked.shop = await attacked.newApplication('test', 'shop')
    return attacked
  }

  /** Returns its uuid. */
  async newApplication(organization: string, name: string): Promise<string> {
    const { body } = await this.do(this.admin, 'POST', `/management/orgs/${organization}/apps`, {
      body: { name },
    })
    return body.application
  }

  /** Makes a user, with a token. */
  async user(path: string, username: string, ...permissions: string[]): Promise<AttackedUser> {
    const { uuid } = (await this.do(this.admin, 'POST', `${path}/users`, { body: { username } })).body
      .entities[0]
    if (permissions.length > 0)
      await this.do(this.admin, 'POST', `${path}/users/${uuid}/permissions`, {
        body: { permission: permissions },
      })
    const { access_token: token, user } = (await this.do(this.admin, 'GET', `${path}/users/${uuid}/token`))
      .body
    const app = (await this.do(this.admin, 'GET', path)).body.application
    return { uuid, token, principal: { kind: 'user', app, uuid, username: user.username } }
  }

  /** Over HTTP. */
  async do(who: Who, method: string, path: string, sent?: Sent): Promise<Answer> {
    return (await this.ways.get('http')!(who, method, path, sent))!
  }

  /** By the administrator, who must be let. */
  async admins(method: string, path: string, body?: unknown): Promise<Answer['body']> {
    const answer = await this.do(this.admin, method, `/test/shop${path}`, { body })
    if (answer.status !== 200) throw new Error(JSON.stringify(answer))
    return answer.body
  }

  async close(): Promise<void> {
    this.#express.closeAllConnections()
    await new Promise((resolve) => this.#express.close(resolve))
    await this.server.close()
  }
}

/** One for the tests of a `describe`. Call the result inside a test. */
export const attacked = (database: TestDatabaseName, wrap?: WrapDatabase): (() => Attacked) => {
  let opened: Attacked
  beforeAll(async () => {
    opened = await Attacked.open(database, wrap)
  })
  afterAll(() => opened.close())
  return () => opened
}

const overHttp =
  (url: string): Way =>
  async ({ token }, method, path, { body, search = '' } = {}) => {
    const response = await fetch(`${url}${path}${search === '' ? '' : `?${search}`}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return { status: response.status, body: JSON.parse(await response.text()) }
  }

const handled =
  (engine: Engine): Way =>
  async ({ principal }, method, path, { body, search = '' } = {}) => {
    const json =
      body === undefined ? {} : { body: typeof body === 'string' ? JSON.parse(body) : structuredClone(body) }
    const reply = await engine.handle({
      method: method as 'GET',
      path,
      search,
      baseUrl: '',
      principal,
      ...json,
    })
    return { status: reply.status, body: JSON.parse(reply.body) }
  }

/** As the only operation of a batch: for lists, queries, several steps and what is no collection there is no room. */
const inBatch =
  (send: Way): Way =>
  async (who, method, path, { body, search = '' } = {}) => {
    const [, organization, application, ...words] = path.split('/')
    const isList = (method === 'GET' && words.length !== 2) || words.length > 5
    if (search !== '' || isList || words.some((word) => /^(?:permissions|password|_.*|all)$|;/.test(word)))
      return null
    const json = body === undefined ? {} : { body: typeof body === 'string' ? JSON.parse(body) : body }
    const operations = [{ method, path: words.join('/'), ...json }]
    const answer = (await send(who, 'POST', `/${organization}/${application}/_batch`, {
      body: { operations },
    }))!
    return { ...answer, body: { ...answer.body, entities: answer.body.results?.[0].entities } }
  }

/** By the methods of a session in process. */
const inSession =
  (engine: Engine): Way =>
  async ({ principal }, method, path, { body, search = '' } = {}) => {
    const [, organization, application, ...encoded] = path.split('/')
    const words = encoded.map(decodeURIComponent)
    const properties = typeof body === 'string' ? JSON.parse(body) : structuredClone(body)
    const call = sessionCall(
      method,
      words,
      properties as never,
      Object.fromEntries(new URLSearchParams(search)),
    )
    if (call === null) return null
    try {
      const session = await engine.app(`${organization}/${application}`).as(principal)
      const result = (await call(session)) as Record<string, unknown> | undefined
      const listed = result !== undefined && Array.isArray(result['entities'])
      return { status: 200, body: listed ? result : { entities: result === undefined ? [] : [result] } }
    } catch (error) {
      const { status, code, message } = error as { status?: number; code: string; message: string }
      if (status === undefined) throw error
      return { status, body: { error: code, error_description: message } }
    }
  }

type SessionCall = (session: Session) => Promise<unknown>

const sessionCall = (
  method: string,
  words: string[],
  body: never,
  params: Record<string, string>,
): SessionCall | null => {
  const [collection = '', ref = '', word = '', far = '', farRef = ''] = words
  const form = `${method} ${words.length}`
  const calls: Record<string, SessionCall> = {
    'GET 1': (session) => session.list(collection, params),
    'POST 1': (session) => session.create(collection, body),
    'GET 2': (session) => session.get(collection, ref),
    'PUT 2': (session) => session.put(collection, ref, body),
    'PATCH 2': (session) => session.patch(collection, ref, body),
    'DELETE 2': (session) => session.remove(collection, ref),
    'GET 3': (session) => session.connected({ collection, ref }, word, params),
    'POST 5': (session) => session.connect({ collection, ref }, word, { collection: far, ref: farRef }),
    'DELETE 5': (session) => session.disconnect({ collection, ref }, word, { collection: far, ref: farRef }),
  }
  const isQueried = Object.keys(params).length > 0 && method !== 'GET'
  return isQueried || Array.isArray(body) || ['permissions', 'password', 'all'].includes(word || ref)
    ? null
    : (calls[form] ?? null)
}
