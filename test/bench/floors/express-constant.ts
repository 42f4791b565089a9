import express from 'express'
import { item } from '../items.js'

const app = express()
app.disable('x-powered-by')
app.disable('etag')
const constant = { entities: [item(0)] }
app.get('/constant', (_request, response) => {
  response.json(constant)
})
app.listen(Number(process.env['PORT']), '127.0.0.1')
