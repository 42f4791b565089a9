import type { Engine, EngineOptions } from '@entigrid/core'
import { openTestEngine, type TestDatabaseName, type WrapDatabase } from '@entigrid/core/testing'
import { type ServerOptions, startServer } from '@entigrid/server'

/** An application that is open to guests, alone in its organization. */
export interface Sandbox {
  organization: string
  application: string
  /** Of the application. */
  clientId: string
  clientSecret: string
}

export interface TestServer extends Sandbox, AsyncDisposable {
  /** `http://127.0.0.1:port` */
  url: string
  engine: Engine
  /** The organization's owner. */
  owner: { username: string; password: string }
  close(): Promise<void>
}

/** Tests ask more, and faster, than anybody else. */
const UNLIMITED = { address: 0, principal: 0 }
const AS_SYSADMIN = { search: '', baseUrl: '', principal: { kind: 'sysadmin' } } as const
const OWNER = { username: 'owner', password: 'a password for tests' }

/** A server on a free port of loopback, with its own database and an organization `test`. */
export const openTestServer = async ({
  database = 'sqlite',
  options = {},
  wrap,
  server: serverOptions = {},
}: {
  database?: TestDatabaseName
  options?: Partial<EngineOptions>
  wrap?: WrapDatabase
  server?: ServerOptions
} = {}): Promise<TestServer> => {
  const { engine, close: closeEngine } = await openTestEngine(
    database,
    { rates: UNLIMITED, ...options },
    wrap,
  )
  const { organization, application } = await engine.bootstrap({ ...OWNER, organization: 'test' })
  const server = await startServer(engine, { port: 0, host: '127.0.0.1', ...serverOptions })
  const { url } = server
  const close = async (): Promise<void> => {
    await server.close()
    await closeEngine()
  }
  return {
    ...(await withCredentials(engine, organization, application)),
    url,
    engine,
    owner: OWNER,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Makes an organization, for tests that share a server but no data. */
export const newSandbox = async (engine: Engine, organization: string): Promise<Sandbox> => {
  const owner = { username: `owner-of-${organization}`, email: `owner@${organization}.test` }
  const body = { ...owner, organization, password: OWNER.password }
  const reply = await engine.handle({ ...AS_SYSADMIN, method: 'POST', path: '/management/orgs', body })
  if (reply.status !== 200) throw new Error(String(reply.body))
  return withCredentials(engine, organization, 'sandbox')
}

const withCredentials = async (
  engine: Engine,
  organization: string,
  application: string,
): Promise<Sandbox> => {
  const path = `/management/orgs/${organization}/apps/${application}/credentials`
  const reply = await engine.handle({ ...AS_SYSADMIN, method: 'GET', path })
  const { client_id: clientId, client_secret: clientSecret } = JSON.parse(reply.body).credentials
  return { organization, application, clientId, clientSecret }
}
