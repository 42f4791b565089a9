import type { Engine, EngineOptions } from '@entigrid/core'
import { openTestEngine, type TestDatabaseName, type WrapDatabase } from '@entigrid/core/testing'
import { type ServerOptions, startServer } from '@entigrid/server'

export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  url: string
  engine: Engine
  organization: string
  /** The organization's sandbox, open to guests. */
  application: string
  /** Of the application. */
  clientId: string
  clientSecret: string
  /** The organization's owner. */
  owner: { username: string; password: string }
  close(): Promise<void>
}

/** Tests ask more, and faster, than anybody else. */
const UNLIMITED = { address: 0, principal: 0 }
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
  const reply = await engine.handle({
    method: 'GET',
    path: `/management/orgs/${organization}/apps/${application}/credentials`,
    search: '',
    baseUrl: url,
    principal: { kind: 'sysadmin' },
  })
  const { client_id: clientId, client_secret: clientSecret } = JSON.parse(reply.body).credentials
  const close = async (): Promise<void> => {
    await server.close()
    await closeEngine()
  }
  return {
    url,
    engine,
    organization,
    application,
    clientId,
    clientSecret,
    owner: OWNER,
    close,
    [Symbol.asyncDispose]: close,
  }
}
