import { orAborted } from './deadline.js'
import type { Engine, Transport } from './transport.js'

/** `baseUrl` is what the engine puts before paths in replies; nobody connects to it. */
export const inProcess =
  (engine: Engine, baseUrl: string): Transport =>
  async ({ body: sent, signal, ...request }) => {
    const handling = engine.handle({
      ...request,
      // A copy: what the caller changes later must not reach the engine, nor what JSON would not carry.
      body: sent === undefined ? undefined : JSON.parse(JSON.stringify(sent)),
      baseUrl,
      signal,
    })
    const { status, body, headers = {} } = await orAborted(handling, signal)
    const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    return { status, text: body, header: (name) => byName.get(name.toLowerCase()) }
  }
