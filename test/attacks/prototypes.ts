import { afterAll, beforeAll, expect } from 'vitest'

const PROTOTYPES = [Object, Array, Function, String, Number, Map, Promise].map(
  (one) => one.prototype as object,
)

/** What each has, by name. */
const contents = () =>
  PROTOTYPES.map((prototype) => {
    const entries = Object.entries(Object.getOwnPropertyDescriptors(prototype))
    return new Map(entries.map(([key, { value, get }]) => [key, value ?? get]))
  })

/** Call it in a `describe`: fails when its tests left anything on the prototypes that everything inherits from. */
export const unchangedPrototypes = (): void => {
  let before: ReturnType<typeof contents>
  beforeAll(() => {
    before = contents()
  })
  afterAll(() => {
    for (const [i, now] of contents().entries()) {
      expect([...now.keys()]).toEqual([...before[i]!.keys()])
      for (const [key, value] of now) expect([key, value === before[i]!.get(key)]).toEqual([key, true])
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
}
