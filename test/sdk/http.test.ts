import { DATABASES } from '@entigrid/core/testing'
import { createAdminClient, createClient } from '@entigrid/sdk'
import { openTestServer } from '../support/server.js'
import { sdkSuite } from './suite.js'
import { schema } from './target.js'

for (const database of DATABASES)
  sdkSuite(`over HTTP on ${database}`, async () => {
    const { url, organization, application, clientId, clientSecret, close } = await openTestServer({
      database,
    })
    return {
      client: (options) => createClient({ url, organization, application, schema, ...options }),
      admin: (options) => createAdminClient({ url, ...options }),
      clientId,
      clientSecret,
      close,
    }
  })
