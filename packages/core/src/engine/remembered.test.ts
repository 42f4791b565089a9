import { describe, expect, it } from 'vitest'
import { Remembered } from './remembered.js'

/** A source that counts how often it is read. */
const counting = () => {
  let reads = 0
  return { read: async () => ++reads, reads: () => reads }
}

describe('what is remembered', () => {
  it('is read once while it is young, and again when it is old, for each key', async () => {
    let now = 0
    const known = new Remembered<number>({ clock: () => now, maxAge: 1000 })
    const source = counting()

    expect([await known.get('a', source.read), await known.get('a', source.read)]).toEqual([1, 1])
    expect(await known.get('b', source.read)).toBe(2)
    now = 999
    expect(await known.get('a', source.read)).toBe(1)
    now = 1000
    expect(await known.get('a', source.read)).toBe(3)
  })

  it('is not what is missing, nor what failed', async () => {
    const known = new Remembered<number>({ clock: () => 0, maxAge: Number.POSITIVE_INFINITY })

    expect(await known.get('a', async () => null)).toBeNull()
    await expect(known.get('a', () => Promise.reject(new Error('lost')))).rejects.toThrow('lost')
    expect(await known.get('a', async () => 1)).toBe(1)
  })

  it('is forgotten, also when it was being read meanwhile', async () => {
    const known = new Remembered<string>({ clock: () => 0, maxAge: Number.POSITIVE_INFINITY })
    let finish = (_: string): void => undefined
    const reading = known.get('a', () => new Promise<string>((resolve) => (finish = resolve)))

    known.forget()
    finish('of before')

    expect(await reading).toBe('of before')
    expect(await known.get('a', async () => 'of after')).toBe('of after')
  })
})
