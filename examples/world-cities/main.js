// @ts-check
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openEngine } from '@entigrid/core'
import { load } from './load.js'

const folder = fileURLToPath(new URL('data/', import.meta.url))
mkdirSync(folder, { recursive: true })

const engine = await openEngine({ database: process.env.DATABASE_URL ?? `sqlite:${folder}world-cities.db` })
const { organization, application } = await engine.bootstrap({ username: 'admin', organization: 'demo' })
await load(engine, { organization, application, progress: (line) => console.error(line) })
await engine.close()
