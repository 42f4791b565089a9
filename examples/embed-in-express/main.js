// @ts-check
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { openEngine } from '@entigrid/core'
import { createApp } from './app.js'

mkdirSync('data', { recursive: true })
const { DATABASE_URL = 'sqlite:./data/cafe.db', SECRET, PORT = '3000' } = process.env

const engine = await openEngine({ database: DATABASE_URL, secret: SECRET })
const cafe = await engine.bootstrap({ username: 'admin', organization: 'cafe' })
if (cafe.password !== undefined) console.log(`Administrator admin, password ${cafe.password}`)

const server = createApp(engine, { application: 'cafe/sandbox' }).listen(Number(PORT), '127.0.0.1')
await once(server, 'listening')
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
console.log(`The café is open at http://127.0.0.1:${port}`)

const stop = async () => {
  server.close()
  server.closeIdleConnections()
  await engine.close()
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
