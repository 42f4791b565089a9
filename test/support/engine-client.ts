import type { ApiRequest, Engine, EngineOptions } from '@entigrid/core'
import { openTestEngine, type TestDatabaseName, type WrapDatabase } from '@entigrid/core/testing'
import { afterAll, beforeAll } from 'vitest'

export const OWNER = { username: 'owner', password: 'a password for tests', organization: 'test' }
export const PASSWORD = 'correct horse'

export type Asked = Pick<ApiRequest, 'method' | 'path'> & Partial<ApiRequest>

export interface Reply {
  status: number
  headers: Record<string, string>
  // Bodies are compared with toEqual and toMatchObject, which check them whole.
  body: ReturnType<typeof JSON.parse>
}

/** Sends requests to an engine as a transport would. */
export const askerOf =
  (engine: Engine) =>
  async (asked: Asked): Promise<Reply> => {
    const { status, body, headers = {} } = await engine.handle({ search: '', baseUrl: 'http://x', ...asked })
    return { status, headers, body: body === '' ? undefined : JSON.parse(body) }
  }

/** Requests about tokens, in the sandbox of `OWNER`'s organization or, with `path`, elsewhere. */
export const tokenClient = (engine: Engine, path = '/test/sandbox') => {
  const ask = askerOf(engine)
  return {
    ask,
    /** Asks the token endpoint. */
    grant: (body: object, more: Partial<ApiRequest> = {}) =>
      ask({ method: 'POST', path: `${path}/token`, body: body as ApiRequest['body'], ...more }),
    /** Asks below the application with a token. */
    as: (token: string, method: ApiRequest['method'], below: string, more: Partial<ApiRequest> = {}) =>
      ask({ method, path: path + below, authorization: `Bearer ${token}`, ...more }),
    /** Does something with all rights. */
    system: (method: ApiRequest['method'], below: string, body?: object) =>
      ask({ method, path: path + below, body: body as ApiRequest['body'], principal: { kind: 'sysadmin' } }),
  }
}

/** One engine for the tests of a `describe`, with a clock that stands still until it is moved. */
export const sharedEngine = (
  database: TestDatabaseName,
  options: Partial<EngineOptions> = {},
  wrap?: WrapDatabase,
) => {
  const time = { now: Date.UTC(2026, 0, 1) }
  let test: Awaited<ReturnType<typeof openTestEngine>>
  let users = 0
  beforeAll(async () => {
    test = await openTestEngine(database, { clock: () => time.now, ...options }, wrap)
    await test.engine.bootstrap(OWNER)
  })
  afterAll(() => test.close())
  return {
    time,
    get engine() {
      return test.engine
    },
    get client() {
      return tokenClient(test.engine)
    },
    /** The name of a new user of the sandbox, whose password is `PASSWORD`. */
    async newUser(more: object = {}): Promise<string> {
      const username = `user${++users}`
      await tokenClient(test.engine).system('POST', '/users', { username, password: PASSWORD, ...more })
      return username
    },
  }
}
