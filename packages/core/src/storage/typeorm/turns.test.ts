import { expect, it } from 'vitest'
import { DatabaseClosedError } from './database-closed.js'
import { Turns } from './turns.js'

it('serves callers in the order they came, one thing to one caller at a time', async () => {
  const turns = new Turns(['a', 'b'])
  const inUse = new Set<string>()
  const served: number[] = []

  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      turns.use(async (thing) => {
        expect(inUse.has(thing)).toBe(false)
        inUse.add(thing)
        served.push(i)
        await new Promise(setImmediate)
        inUse.delete(thing)
      }),
    ),
  )

  expect(served).toEqual(Array.from({ length: 20 }, (_, i) => i))
})

it('has a thing back when the work with it fails', async () => {
  const turns = new Turns(['only'])

  await expect(turns.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no')

  expect(await turns.use(async (thing) => thing)).toBe('only')
})

it('closes when all is given back, and turns away who waits or comes later', async () => {
  const turns = new Turns(['only'])
  const events: string[] = []
  const thing = await turns.take()
  const waiting = turns.take().catch((error) => error)

  const closed = turns.close().then(() => events.push('closed'))
  expect(await waiting).toBeInstanceOf(DatabaseClosedError)
  await expect(turns.take()).rejects.toThrow(DatabaseClosedError)
  events.push('given back')
  turns.give(thing)
  await closed

  expect(events).toEqual(['given back', 'closed'])
})
