import { describe, expect, it } from 'vitest'
import { Kills } from './kills.js'
import { DATABASES, openTarget } from './target.js'

const KILLS = 3
const SEED = 1

describe.each(DATABASES)('a server on %s, killed while 32 clients write', (database) => {
  // `npm run test:crash` kills more often.
  it('has everything it acknowledged when it is started again, and nothing by half', {
    timeout: 120_000,
  }, async () => {
    await using target = await openTarget(database)
    const run = new Kills(target, SEED)

    const rounds = []
    for (let kill = 1; kill <= KILLS; kill++) rounds.push(await run.next())

    expect(rounds.flatMap(({ problems }) => problems)).toEqual([])
    expect(new Set(rounds.map(({ victim }) => victim))).toEqual(new Set(target.victims))
    expect(rounds.at(-1)!.acknowledged).toBeGreaterThan(KILLS * 20)
  })
})
