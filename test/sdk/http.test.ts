import { DATABASES } from '@entigrid/core/testing'
import { createAdminClient, createClient } from '@entigrid/sdk'
import { sdkSuite } from './suite.js'
import { schema, targetServers } from './target.js'

/** The platform's `fetch`, on connections that break before the first replies to writes are through. */
const losing = (count: number): typeof fetch => {
  let left = count
  return async (input, init) => {
    const reply = await fetch(input, init)
    if (init?.method === 'GET' || left-- <= 0) return reply
    await reply.text()
    throw new TypeError('terminated')
  }
}

for (const database of DATABASES) {
  const server = targetServers(database)
  sdkSuite(`over HTTP on ${database}`, async (options) => {
    const { url, organization, application, ...target } = await server(options)
    return {
      ...target,
      client: ({ lost = 0, ...options } = {}) =>
        createClient({ url, organization, application, schema, fetch: losing(lost), ...options }),
      admin: (options) => createAdminClient({ url, ...options }),
    }
  })
}
