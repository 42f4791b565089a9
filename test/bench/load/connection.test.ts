import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { expect, it } from 'vitest'
import { Connection } from './connection.js'

/** A server that answers every request with these pieces, each in a packet of its own. */
const serve = async (pieces: string[]): Promise<{ server: Server; url: string }> => {
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('data', async () => {
      for (const piece of pieces) {
        await new Promise((resolve) => socket.write(piece, resolve))
        await new Promise(setImmediate)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as { port: number }).port}` }
}

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`

it.each([
  ['in one packet', ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello']],
  ['with a head in two packets', ['HTTP/1.1 200 OK\r\nContent-Le', 'ngth: 5\r\n\r\nhel', 'lo']],
  [
    'in chunks',
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', chunk('hel'), chunk('lo'), '0\r\n\r\n'],
  ],
  [
    'in chunks whose end is split',
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', chunk('hello') + '0', '\r\n\r\n'],
  ],
])('reads a reply that comes %s, and the next one after it', async (_, pieces) => {
  const { server, url } = await serve(pieces)
  const connection = await Connection.open(url)

  const replies = [
    await connection.send({ method: 'GET', path: '/' }),
    await connection.send({ method: 'GET', path: '/' }),
  ]

  expect(replies.map(({ status, body }) => [status, body.toString()])).toEqual([
    [200, 'hello'],
    [200, 'hello'],
  ])
  connection.close()
  server.close()
})

it('takes a reply without a body for a whole one', async () => {
  const { server, url } = await serve(['HTTP/1.1 204 No Content\r\n\r\n'])
  const connection = await Connection.open(url)

  expect((await connection.send({ method: 'DELETE', path: '/' })).status).toBe(204)

  connection.close()
  server.close()
})

it('fails the request in flight when the server goes away', async () => {
  const server = createServer((socket) => socket.on('data', () => socket.destroy())).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connection = await Connection.open(`http://127.0.0.1:${(server.address() as { port: number }).port}`)

  await expect(connection.send({ method: 'GET', path: '/' })).rejects.toThrow()

  server.close()
})
