import { DATABASES } from '@entigrid/core/testing'
import { createAdminClient, createClient } from '@entigrid/sdk'
import { openTestServer } from '../support/server.js'
import { sdkSuite } from './suite.js'
import { schema } from './target.js'

for (const database of DATABASES)
  sdkSuite(`in process on ${database}`, async () => {
    const { engine, organization, application, clientId, clientSecret, close } = await openTestServer({
      database,
    })
    return {
      client: (options) => createClient({ engine, organization, application, schema, ...options }),
      admin: (options) => createAdminClient({ engine, ...options }),
      clientId,
      clientSecret,
      close,
    }
  })
