import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ClientOptions, createClient } from '@entigrid/sdk'
import { expect } from 'vitest'

/** A request as it came over the wire. */
export interface Received {
  method: string
  url: string
  authorization: string | undefined
  ifMatch: string | undefined
  key: string | string[] | undefined
  body: string
}

/** What the far end does with one request: a reply, or none at all, or a connection that ends too early. */
export type Act =
  | { status?: number; json?: unknown; text?: string; headers?: Record<string, string> }
  | 'silence'
  | 'break'

/** A server that does one act after the other, the last one for all that follow, and a client of it. */
export const openWire = async (acts: Act[], options: Partial<ClientOptions> = {}) => {
  const received: Received[] = []
  const waits: number[] = []
  const server = createServer(async (request, response) => {
    received.push(await read(request))
    const act = acts[Math.min(received.length, acts.length) - 1]!
    if (act === 'silence') return
    if (act === 'break') return response.destroy()
    response.writeHead(act.status ?? 200, { 'content-type': 'application/json', ...act.headers })
    response.end(act.text ?? JSON.stringify(act.json))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const sleep = async (ms: number) => void waits.push(ms)
  const client = createClient({
    organization: 'demo',
    application: 'sandbox',
    retry: { sleep, random: () => 0 },
    ...options,
    url: `${url}/`,
    engine: undefined,
  })
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    client,
    dogs: client.collection('dogs'),
    received,
    waits,
    url,
    close,
    [Symbol.asyncDispose]: close,
  }
}

const read = async (request: IncomingMessage): Promise<Received> => {
  let body = ''
  for await (const chunk of request) body += chunk
  const { authorization, 'if-match': ifMatch, 'idempotency-key': key } = request.headers
  return { method: request.method!, url: request.url!, authorization, ifMatch, key, body }
}

/** The error of a call that must fail. */
export const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => error,
  )
