import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Express } from 'express'
import { PEERS } from '../places.js'

/** The little of Parse Server's interface that is used here: it is not installed with the workspace. */
interface ParseServerPackage {
  ParseServer: new (options: object) => { app: Express; start(): Promise<void> }
}

const require = createRequire(join(PEERS, 'package.json'))
const { ParseServer } = require('parse-server') as ParseServerPackage
const express = require('express') as () => Express

const port = Number(process.env['PORT'])
const server = new ParseServer({
  databaseURI: process.env['DATABASE'],
  appId: process.env['APP_ID'],
  masterKey: process.env['MASTER_KEY'],
  serverURL: `http://127.0.0.1:${port}/parse`,
  allowClientClassCreation: false,
  logLevel: 'error',
  silent: true,
})
await server.start()
const app = express()
app.use('/parse', server.app)
app.listen(port, '127.0.0.1')
