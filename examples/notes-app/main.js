// @ts-check
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { openEngine } from '@entigrid/core'
import { createNotesApp } from './app.js'

mkdirSync('data', { recursive: true })
const { DATABASE_URL = 'sqlite:./data/notes.db', SECRET, PORT = '3000' } = process.env

const engine = await openEngine({ database: DATABASE_URL, secret: SECRET })
const { password } = await engine.bootstrap({ username: 'admin', organization: 'notes' })
if (password !== undefined) console.log(`Administrator admin, password ${password}`)

const app = await createNotesApp(engine)
const server = app.listen(Number(PORT), '127.0.0.1')
await once(server, 'listening')
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
console.log(`Notes are at http://127.0.0.1:${port}`)

const stop = async () => {
  server.close()
  server.closeIdleConnections()
  await engine.close()
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
