import type { EngineOptions } from '@entigrid/core'
import type { TestDatabaseName } from '@entigrid/core/testing'
import { afterAll, beforeAll, expect } from 'vitest'
import { openTestServer, type TestServer } from './server.js'

export interface Answer {
  status: number
  headers: Headers
  text: string
  // Bodies are compared with toEqual and toMatchObject, which check them whole.
  body: ReturnType<typeof JSON.parse>
}

/** Sends requests as somebody. Paths are below an application, or below the server for absolute callers. */
export interface Caller {
  /** A string or form is sent as it is, anything else as JSON. */
  send(method: string, path: string, body?: unknown, init?: RequestInit): Promise<Answer>
  get(path: string, init?: RequestInit): Promise<Answer>
  post(path: string, body?: unknown, init?: RequestInit): Promise<Answer>
  put(path: string, body?: unknown, init?: RequestInit): Promise<Answer>
  delete(path: string, body?: unknown, init?: RequestInit): Promise<Answer>
}

/** An organization of its own for one test, with its sandbox, which is open to guests. */
export interface TestApplication extends Caller {
  /** Of the server, without a trailing slash. */
  url: string
  organization: string
  organizationUuid: string
  /** `organization/sandbox` */
  name: string
  uuid: string
  owner: { uuid: string; username: string; email: string; password: string }
  /** The owner, who is an administrator of this organization only; paths below the application. */
  admin: Caller
  adminToken: string
  /** The owner; paths below the server. */
  management: Caller
  /** The bearer of a token, or a guest without one; paths below the application, or below `base`. */
  as(token?: string, base?: string): Caller
  /** Makes an application that is closed to guests; `path` is its address. */
  newApplication(
    name: string,
  ): Promise<{ path: string; uuid: string; admin: Caller; guest: Caller; as(token: string): Caller }>
  /** Makes a user with a password and signs him in. */
  signedUp(
    username: string,
    more?: object,
    path?: string,
  ): Promise<Caller & { uuid: string; token: string; username: string }>
}

export const PASSWORD = 'correct horse'
export const UUID = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
export const TIME = expect.any(Number)

/** One server for the tests of a `describe`; each test takes an application of its own. */
export const sharedServer = (database: TestDatabaseName, options: Partial<EngineOptions> = {}) => {
  let server: TestServer
  let made = 0
  beforeAll(async () => {
    server = await openTestServer({ database, options })
  })
  afterAll(() => server.close())
  return {
    get url() {
      return server.url
    },
    get server() {
      return server
    },
    application: () => newOrganization(server.url, `org${++made}`),
  }
}

const newOrganization = async (url: string, organization: string): Promise<TestApplication> => {
  const guest = callerOf(url)
  const owner = {
    username: `owner-of-${organization}`,
    email: `owner@${organization}.test`,
    password: PASSWORD,
  }
  const { data } = (await guest.post('/management/orgs', { organization, ...owner })).body
  const { access_token: adminToken } = (
    await guest.post('/management/token', { grant_type: 'password', ...owner })
  ).body
  const as = (token?: string, base = `/${organization}/sandbox`): Caller => callerOf(url + base, token)
  const admin = as(adminToken)
  const management = callerOf(url, adminToken)
  const { data: applications } = (await management.get(`/management/orgs/${organization}/apps`)).body
  const signedUp = async (username: string, more: object = {}, path = `/${organization}/sandbox`) => {
    const { entities } = (
      await as(adminToken, path).post('/users', { username, password: PASSWORD, ...more })
    ).body
    const { access_token: token } = (
      await as(undefined, path).post('/token', { grant_type: 'password', username, password: PASSWORD })
    ).body
    return { ...as(token, path), uuid: entities[0].uuid as string, token: token as string, username }
  }
  const newApplication = async (name: string) => {
    const { application } = (await management.post(`/management/orgs/${organization}/apps`, { name })).body
    const path = `/${organization}/${name}`
    return {
      path,
      uuid: application,
      admin: as(adminToken, path),
      guest: as(undefined, path),
      as: (token: string) => as(token, path),
    }
  }
  return {
    ...as(),
    url,
    organization,
    organizationUuid: data.organization.uuid,
    name: `${organization}/sandbox`,
    uuid: applications[`${organization}/sandbox`],
    owner: { ...owner, uuid: data.owner.uuid },
    admin,
    adminToken,
    management,
    as,
    newApplication,
    signedUp,
  }
}

const callerOf = (base: string, token?: string): Caller => {
  const send = async (
    method: string,
    path: string,
    body?: unknown,
    { headers, ...init }: RequestInit = {},
  ): Promise<Answer> => {
    const response = await fetch(base + path, {
      method,
      redirect: 'manual',
      ...(body === undefined
        ? {}
        : {
            body: typeof body === 'string' || body instanceof URLSearchParams ? body : JSON.stringify(body),
          }),
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...init,
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
  return {
    send,
    get: (path, init) => send('GET', path, undefined, init),
    post: (path, body, init) => send('POST', path, body, init),
    put: (path, body, init) => send('PUT', path, body, init),
    delete: (path, body, init) => send('DELETE', path, body, init),
  }
}
