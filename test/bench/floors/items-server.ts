import { randomUUID } from 'node:crypto'
import express, { type Response } from 'express'
import { PERMISSION } from './session.js'

/** What hand-written code asks of its database. A `Doc` is the whole stored item. */
export interface ItemsSql {
  insert(items: NewRow[]): Promise<void>
  byUuid(uuid: string): Promise<Row[]>
  byName(name: string): Promise<Row[]>
  equalitySorted(category: string, limit: number): Promise<Row[]>
  range(from: number, to: number, limit: number): Promise<Row[]>
  page(before: number | null, limit: number): Promise<Row[]>
  update(uuid: string, changes: Doc): Promise<Row[]>
  remove(uuid: string): Promise<Row[]>
  connect(source: string, target: string): Promise<void>
  connections(source: string, limit: number): Promise<Row[]>
  /** Whether the user with this session token may do `permission`. */
  may(token: string, permission: string): Promise<boolean>
}

export type Doc = Record<string, unknown>
export interface Row {
  id: number
  doc: Doc
}
export interface NewRow {
  uuid: string
  doc: Doc
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/** The Express application that somebody would write by hand for exactly the scenarios of the suite. */
export const serveItems = (sql: ItemsSql): void => {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(express.json({ limit: '2mb' }))

  app.get('/ready', (_request, response) => {
    response.json({})
  })
  app.post('/items', async ({ body }, response) => {
    const rows = (Array.isArray(body) ? body : [body]).map(stamp)
    await sql.insert(rows)
    response.json({ entities: rows.map(({ doc }) => doc) })
  })
  app.get('/items', async ({ query }, response) => {
    const limit = Number(query['limit'] ?? 10)
    if (query['category'] !== undefined)
      return send(response, await sql.equalitySorted(String(query['category']), limit))
    if (query['from'] !== undefined)
      return send(response, await sql.range(Number(query['from']), Number(query['to']), limit))
    const rows = await sql.page(query['cursor'] === undefined ? null : Number(query['cursor']), limit)
    send(response, rows, rows.length === limit ? rows.at(-1)!.id : undefined)
  })
  app.get('/items/:ref', async ({ params: { ref } }, response) => {
    send(response, UUID.test(ref) ? await sql.byUuid(ref) : await sql.byName(ref))
  })
  app.put('/items/:uuid', async ({ params, body }, response) => {
    send(response, await sql.update(params.uuid, { ...body, modified: Date.now() }))
  })
  app.delete('/items/:uuid', async ({ params }, response) => {
    send(response, await sql.remove(params.uuid))
  })
  app.post('/items/:uuid/likes/:target', async ({ params }, response) => {
    await sql.connect(params.uuid, params.target)
    send(response, await sql.byUuid(params.target))
  })
  app.get('/items/:uuid/likes', async ({ params, query }, response) => {
    send(response, await sql.connections(params.uuid, Number(query['limit'] ?? 10)))
  })
  app.get('/mine/:uuid', async ({ params, headers }, response) => {
    const token = headers.authorization?.slice('Bearer '.length) ?? ''
    if (!(await sql.may(token, PERMISSION))) return void response.status(401).json({ error: 'unauthorized' })
    send(response, await sql.byUuid(params.uuid))
  })
  app.listen(Number(process.env['PORT']), '127.0.0.1')
}

const stamp = (body: Doc): NewRow => {
  const uuid = randomUUID()
  const now = Date.now()
  return { uuid, doc: { uuid, type: 'item', ...body, created: now, modified: now } }
}

const send = (response: Response, rows: Row[], cursor?: number): void => {
  if (rows.length === 0) response.status(404)
  response.json({ entities: rows.map(({ doc }) => doc), cursor })
}
