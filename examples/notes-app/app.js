// @ts-check
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createAdminClient, createClient } from '@entigrid/sdk'
import { entigrid } from '@entigrid/server'
import express from 'express'

/** @typedef {import('@entigrid/core').Engine} Engine */

const ORGANIZATION = 'notes'
const APPLICATION = 'app'

/**
 * What everybody who has signed up may do, besides using what is below `/users/me`. Whom a note was given to
 * knows its id and may read, change and delete it. Nobody can list notes: `?*` stands for an id, and unlike
 * `*` not for nothing.
 */
const PERMISSIONS = ['get,put,delete:/notes/?*', 'post:/users/*/received/?*']

const PAGE = fileURLToPath(new URL('public', import.meta.url))
const SDK = dirname(createRequire(import.meta.url).resolve('@entigrid/sdk'))

/**
 * The page, the client it uses, and the engine's API, which is all that runs on a server.
 * @param {Engine} engine
 */
export const createNotesApp = async (engine) => {
  await prepare(engine)
  const app = express()
  app.use('/api', entigrid(engine))
  app.use('/sdk', express.static(SDK))
  app.use(express.static(PAGE))
  return app
}

/**
 * Makes the application, which is closed as all new ones are, and opens as much of it as the page needs.
 * @param {Engine} engine
 */
const prepare = async (engine) => {
  const principal = /** @type {const} */ ({ kind: 'system', reason: 'set the notes up' })
  /** @type {Pick<Engine, 'handle'>} */
  const system = { handle: (request) => engine.handle({ ...request, principal }) }
  const admin = createAdminClient({ engine: system })
  const applications = await admin.applications(ORGANIZATION)
  if (!(`${ORGANIZATION}/${APPLICATION}` in applications))
    await admin.createApplication(ORGANIZATION, APPLICATION)
  const client = createClient({ engine: system, organization: ORGANIZATION, application: APPLICATION })
  await client.request('POST', '/roles/default/permissions', { body: { permission: PERMISSIONS } })
}
