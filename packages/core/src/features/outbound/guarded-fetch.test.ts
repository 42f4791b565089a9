import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { expect, it } from 'vitest'
import { FetchFailed, guardedFetch } from './guarded-fetch.js'

const listening = async (server: Server | ReturnType<typeof createSocketServer>) => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  }
}

/** A place on loopback that counts who connects. */
const trap = async () => {
  let connections = 0
  const server = createSocketServer((socket) => {
    connections++
    socket.destroy()
  })
  const place = await listening(server)
  return { ...place, connections: () => connections }
}

it.each([
  (port: number) => `https://127.0.0.1:${port}/`,
  (port: number) => `https://2130706433:${port}/`,
  (port: number) => `https://0x7f.1:${port}/`,
  (port: number) => `https://0177.0.0.1:${port}/`,
  (port: number) => `https://[::ffff:127.0.0.1]:${port}/`,
  (port: number) => `https://[::1]:${port}/`,
  (port: number) => `https://localhost:${port}/`,
  () => 'https://169.254.169.254/latest/meta-data',
  (port: number) => `http://127.0.0.1:${port}/`,
])('connects to no private address (%#)', async (urlFor) => {
  await using place = await trap()

  await expect(guardedFetch()(urlFor(place.port))).rejects.toBeInstanceOf(FetchFailed)

  expect(place.connections()).toBe(0)
})

it('connects to an address that it looked at, and asks for a name once', async () => {
  await using place = await trap()
  const answers = [['127.0.0.1'], ['93.184.215.14', '127.0.0.1'], ['::ffff:127.0.0.1']]
  let asked = 0
  const fetch = guardedFetch({
    lookup: (_, __, callback) =>
      callback(
        null,
        answers[asked++]!.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
  })

  for (const _ of answers)
    await expect(fetch(`https://rebinding.test:${place.port}/`)).rejects.toThrow('not public')

  expect([asked, place.connections()]).toEqual([answers.length, 0])
})

it('does not follow redirects', async () => {
  await using target = await trap()
  await using place = await listening(
    createServer((_, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${target.port}/` }).end('moved'),
    ),
  )

  const response = await guardedFetch({ allowPrivateNetworks: true })(`http://127.0.0.1:${place.port}/`)

  expect([response.status, await response.text(), target.connections()]).toEqual([302, 'moved', 0])
})

it.each([
  ['is endless', (response: { write: (text: string) => void }) => pour(response)],
  [
    'has no status that there is',
    (response: { socket: { end: (text: string) => void } | null }) => {
      response.socket!.end('HTTP/1.1 999 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    },
  ],
  [
    'breaks off',
    (response: { socket: { end: (text: string) => void } | null }) => {
      response.socket!.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour')
    },
  ],
])('rejects a reply that %s', async (_, answer) => {
  await using place = await listening(createServer((__, response) => answer(response)))

  await expect(
    guardedFetch({ allowPrivateNetworks: true })(`http://127.0.0.1:${place.port}/`),
  ).rejects.toBeInstanceOf(FetchFailed)
})

it('gives up when the signal says so', async () => {
  await using place = await listening(createServer(() => undefined))

  await expect(
    guardedFetch({ allowPrivateNetworks: true })(`http://127.0.0.1:${place.port}/`, {
      signal: AbortSignal.timeout(20),
    }),
  ).rejects.toMatchObject({ name: 'TimeoutError' })
})

const pour = (response: { write: (text: string) => void }): void => {
  const chunk = 'x'.repeat(65_536)
  for (let i = 0; i < 32; i++) response.write(chunk)
}
