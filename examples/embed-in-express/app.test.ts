import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { openTestEngine } from '@entigrid/core/testing'
import { expect, it } from 'vitest'
import { createApp } from './app.js'

const open = async () => {
  const { engine, close } = await openTestEngine('memory')
  await engine.bootstrap({ username: 'admin', organization: 'cafe' })
  const server = createApp(engine, { application: 'cafe/sandbox' }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    get: (path: string) => fetch(url + path),
    post: (path: string, body: string) =>
      fetch(url + path, { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await close()
    },
  }
}

it('serves its own page beside the engine', async () => {
  await using cafe = await open()

  const page = await cafe.get('/')
  const status = await cafe.get('/api/status')

  expect(await page.text()).toContain('Café Central')
  expect(page.headers.get('access-control-allow-origin')).toBeNull()
  expect(await status.json()).toMatchObject({ status: { databaseAvailable: true } })
})

it('keeps an order, which then is in the API', async () => {
  await using cafe = await open()

  const reply = await cafe.post('/orders', JSON.stringify({ dish: 'soup', table: 4 }))

  const { order } = (await reply.json()) as { order: string }
  const { entities } = (await (await cafe.get('/api/cafe/sandbox/orders')).json()) as { entities: unknown[] }
  expect(reply.status).toBe(201)
  expect(entities).toMatchObject([{ uuid: order, dish: 'soup', table: 4, state: 'new' }])
})

it('leaves errors to whom the request belongs', async () => {
  await using cafe = await open()

  const own = await cafe.post('/orders', '{"dish":7}')
  const engines = await cafe.post('/api/cafe/sandbox/orders', '{"dish":')
  const nobodys = await cafe.get('/menu')

  expect([own.status, await own.json()]).toEqual([
    422,
    { problem: 'An order is a dish and the number of a table' },
  ])
  expect([engines.status, await engines.json()]).toMatchObject([400, { error: 'json_parse' }])
  expect([nobodys.status, await nobodys.text()]).toEqual([404, '<h1>We do not serve that</h1>'])
})
