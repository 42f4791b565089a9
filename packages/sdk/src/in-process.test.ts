import { describe, expect, it, vi } from 'vitest'
import {
  createClient,
  type EngineReply,
  type EngineRequest,
  TimeoutError,
  UnavailableError,
} from './index.js'

const dog = { uuid: 'd1', type: 'dog', created: 1, modified: 1, metadata: { path: '/dogs/d1' } }

/** Stands for the engine, as the network does elsewhere: it shows what it was asked and answers as told. */
const open = (answer: (request: EngineRequest) => Promise<EngineReply>) => {
  const requests: EngineRequest[] = []
  const handle = (request: EngineRequest) => {
    requests.push(request)
    return answer(request)
  }
  const client = createClient({
    engine: { handle },
    organization: 'demo',
    application: 'sandbox',
    token: 't1',
    retry: { limit: 0 },
  })
  return { client, dogs: client.collection('dogs'), requests }
}

describe('a client in process', () => {
  it('asks the engine what HTTP would ask', async () => {
    const { dogs, requests } = open(async () => ({ status: 200, body: JSON.stringify({ entities: [dog] }) }))

    await dogs.create({ name: 'fido', gone: undefined }, { idempotencyKey: 'k1' })
    await dogs.find({ limit: 2 })
    await dogs.update('fido', { age: 4 }, { ifMatch: '"t1"' })
    await dogs.createAs('fido', { age: 4 })

    expect(requests.map(({ signal: _, ...request }) => request)).toEqual([
      {
        method: 'POST',
        path: '/demo/sandbox/dogs',
        search: '',
        authorization: 'Bearer t1',
        body: { name: 'fido' },
        idempotencyKey: 'k1',
        baseUrl: 'http://localhost',
      },
      {
        method: 'GET',
        path: '/demo/sandbox/dogs',
        search: 'limit=2&etags=true',
        authorization: 'Bearer t1',
        body: undefined,
        baseUrl: 'http://localhost',
      },
      {
        method: 'PUT',
        path: '/demo/sandbox/dogs/fido',
        search: '',
        authorization: 'Bearer t1',
        body: { age: 4 },
        ifMatch: '"t1"',
        baseUrl: 'http://localhost',
      },
      {
        method: 'PUT',
        path: '/demo/sandbox/dogs/fido',
        search: '',
        authorization: 'Bearer t1',
        body: { age: 4 },
        ifNoneMatch: '*',
        baseUrl: 'http://localhost',
      },
    ])
  })

  it('throws the same errors, with the headers in any case', async () => {
    const body = JSON.stringify({ error: 'unavailable', error_description: 'Busy' })
    const { dogs } = open(async () => ({ status: 503, body, headers: { 'Retry-After': '1' } }))

    await expect(dogs.get('fido')).rejects.toThrow(UnavailableError)
    await expect(dogs.get('fido')).rejects.toMatchObject({ status: 503, code: 'unavailable', retryAfter: 1 })
  })

  it('is released by its signal or its time, though the engine goes on', async () => {
    const { dogs, requests } = open(() => new Promise(() => {}))
    const controller = new AbortController()

    const call = dogs.get('fido', { signal: controller.signal })
    controller.abort()

    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    expect(requests[0]!.signal!.aborted).toBe(true)
    await expect(dogs.get('fido', { timeout: 20 })).rejects.toBeInstanceOf(TimeoutError)
  })

  it('leaves people the time that they take with a passkey', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const granted = { options: { challenge: 'c' }, token: 'p1', access_token: 't2', expires_in: 60 }
      const { client, requests } = open(async () => ({ status: 200, body: JSON.stringify(granted) }))

      await client.signInWithPasskey(async () => {
        vi.advanceTimersByTime(600_000)
        return { id: 'k1', rawId: 'k1', type: 'public-key', response: {} }
      })

      expect(requests.map(({ path }) => path)).toEqual([
        '/demo/sandbox/auth/passkey/options',
        '/demo/sandbox/token',
      ])
      expect(client.token).toBe('t2')
    } finally {
      vi.useRealTimers()
    }
  })
})
