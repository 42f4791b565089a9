import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestApplication } from './application.js'

// The client looks for its configuration beside the program that was started, which a test worker has not.
process.mainModule ??= { filename: join(tmpdir(), 'no-such-folder', 'main.js') } as NodeJS.Module

const require = createRequire(import.meta.url)

// The client asks for the latest `url-join`, which by now is an ES module with a default export.
require('url-join')
const urlJoin = require.cache[require.resolve('url-join')]
if (urlJoin !== undefined && typeof urlJoin.exports !== 'function') urlJoin.exports = urlJoin.exports.default

type Loose = ReturnType<typeof JSON.parse>

/** What the client's callbacks are given. */
export interface Outcome {
  error: { name: string; description: string; exception: string } | undefined
  response: Loose
  body: Loose
}

/** The official client for Node; its classes have no types. */
export const usergrid: {
  Client: Loose
  Entity: Loose
  User: Loose
  Query: Loose
  Auth: Loose
  AppAuth: Loose
  UserAuth: Loose
} = {
  Client: require('usergrid/lib/client'),
  Entity: require('usergrid/lib/entity'),
  User: require('usergrid/lib/user'),
  Query: require('usergrid/lib/query'),
  Auth: require('usergrid/lib/auth'),
  AppAuth: require('usergrid/lib/appAuth'),
  UserAuth: require('usergrid/lib/userAuth'),
}

/** Connections are sent to the address in the configuration, not to the one of their client. */
const configuration: { baseUrl?: string } = require('usergrid/helpers/config')

/** A client of the application, without credentials in use. */
export const openUsergridClient = async ({ management, organization, url }: TestApplication) => {
  configuration.baseUrl = url
  const { credentials } = (await management.get(`/management/orgs/${organization}/apps/sandbox/credentials`))
    .body
  const client = new usergrid.Client({
    orgId: organization,
    appId: 'sandbox',
    baseUrl: url,
    authMode: 'NONE',
  })
  return {
    client,
    clientId: credentials.client_id as string,
    clientSecret: credentials.client_secret as string,
  }
}

/** Calls a method of the client whose last argument is a callback. */
export const ask = (target: Loose, method: string, ...args: unknown[]): Promise<Outcome> =>
  new Promise((resolve) =>
    target[method](...args, (error: Outcome['error'], response: Loose, body: Loose) =>
      resolve({ error, response, body }),
    ),
  )
