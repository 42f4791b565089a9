import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Load } from './load.js'
import { Outsider } from './outsider.js'
import { ACCOUNTS } from './places.js'
import { openPostgresTarget, type Target } from './target.js'
import { type Outcome, Trial } from './trial.js'

const SEED = 2
/** Connections that are cut, and statements that are cancelled. */
const INTERRUPTIONS = 30

describe('a PostgreSQL that gets in the way of clients of two servers', { timeout: 120_000 }, () => {
  let target: Target
  let trial: Trial
  beforeAll(async () => {
    target = await openPostgresTarget({ servers: 2, settings: { deadlock_timeout: '500ms' } })
    trial = new Trial(target, SEED)
  })
  afterAll(() => target[Symbol.asyncDispose]())

  /** Returns how often clients were told to try later. */
  const disturbed = async (
    disturb: (load: Load, outsider: Outsider) => Promise<void>,
  ): Promise<number | undefined> => {
    await using outsider = await Outsider.connect(target.database)
    const outcome = await trial.run((load) => disturb(load, outsider))
    expectNothingLost(outcome)
    return outcome.statuses.get(503)
  }

  it.each([
    ['cut connections in the middle of transactions', 'pg_terminate_backend'],
    ['cancel statements', 'pg_cancel_backend'],
  ] as const)('may %s', async (_, interruption) => {
    const delays = await disturbed(async (load, outsider) => {
      for (let done = 0; done < INTERRUPTIONS; ) {
        if (await outsider.interrupt(interruption)) done++
        await load.until(5)
      }
    })

    expect(delays).toBeGreaterThan(0)
  })

  it('may be shut down and started again and again', async () => {
    const outcome = await trial.run(async (load) => {
      for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
        await load.until(50)
        load.hold()
        await target.kill('database', signal)
        await target.start('database')
        load.resume()
      }
      await load.until(50)
    })

    expectNothingLost(outcome)
  })

  it('may fail transactions that are to be tried again', async () => {
    let failures = 0
    await disturbed(async (load, outsider) => {
      await outsider.failStatements(0.1, ['40001', '40P01', '55P03'])
      await load.until(300)
      failures = await outsider.endFailures()
    })

    expect(failures).toBeGreaterThan(10)
  })

  it('may have others lock what clients write, in another order than the servers do', async () => {
    await disturbed(async (load, outsider) => {
      const [first, last] = [ACCOUNTS[0]!, ACCOUNTS.at(-1)!]
      // Who waits looks once for a deadlock, and is its victim: it must be a server, which began to wait earlier.
      await outsider.run("SET deadlock_timeout = '2s'")
      for (let own = 0; (await outsider.deadlocks()) - own < 3; ) {
        await outsider.run('BEGIN')
        await outsider.lock(last)
        await outsider.waitedFor()
        const isLocked = await outsider.lock(first)
        if (!isLocked) own++
        await outsider.run('ROLLBACK')
        await load.until(5)
      }
    })
  })
})

/** 400 is for names and addresses that another client has. */
const expectNothingLost = ({ problems, statuses }: Outcome): void => {
  expect(problems).toEqual([])
  expect([...statuses.keys()].filter((status) => ![200, 400, 503].includes(status))).toEqual([])
}
