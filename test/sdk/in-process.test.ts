import { DATABASES } from '@entigrid/core/testing'
import { createAdminClient, createClient, type Engine } from '@entigrid/sdk'
import { sdkSuite } from './suite.js'
import { schema, targetServers } from './target.js'

/** An engine on a database that breaks off as the first writes are committed: they are stored, but it cannot tell. */
const losing = (engine: Engine, count: number): Engine => {
  let left = count
  return {
    handle: async (request) => {
      const reply = await engine.handle(request)
      if (request.method === 'GET' || left-- <= 0) return reply
      return { status: 503, body: JSON.stringify({ error: 'unavailable' }) }
    },
  }
}

for (const database of DATABASES) {
  const server = targetServers(database)
  sdkSuite(`in process on ${database}`, async (options) => {
    const { engine, url, organization, application, ...target } = await server(options)
    return {
      ...target,
      client: ({ lost = 0, ...options } = {}) =>
        createClient({
          engine: losing(engine, lost),
          baseUrl: url,
          organization,
          application,
          schema,
          ...options,
        }),
      admin: (options) => createAdminClient({ engine, ...options }),
    }
  })
}
