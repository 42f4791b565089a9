import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { fuzzCase } from './fuzz-cases.js'
import { AT_A_TIME, type Reply, Target } from './fuzz-target.js'
import { unchangedPrototypes } from './prototypes.js'
import { Random, seedOfRun } from './random.js'
import { rawCase } from './raw-cases.js'

/** Of all databases together: `ENTIGRID_FUZZ=100000` searches longer, `ENTIGRID_SEED` searches the same again. */
const CASES = Number(process.env['ENTIGRID_FUZZ'] ?? 10_000)
const SHARE = { sqlite: 0.7, postgres: 0.3 }
/** After so many cases, what they may have removed or locked is made again. */
const ROUND = 500

/** What a reply must never tell: of the database, of the code, of where it lies. Not what a request itself may say. */
const SECRETS = [
  /SQLITE_|entity_(?:index|unique|words)|collection_count|app_id|coll_id|pg_catalog/,
  /syntax error (?:at|near)|invalid byte sequence|violates|relation \\?"|constraint failed|deadlock/i,
  /node_modules|\/packages\/|\.[cm]?[jt]s:\d|node:internal|\\n\s+at |typeorm|@entigrid|@node-rs|fts5/,
  /(?:Type|Range|Reference|Syntax|Query|Database)Error|ECONN|ENOENT|is not a function|Cannot read prop|Maximum call stack/,
  new RegExp(process.cwd().replaceAll('/', String.raw`\/`)),
]

describe.each(DATABASES)('attack 37, 38: a server on %s that is sent anything at all', (database) => {
  unchangedPrototypes()
  const cases = Math.round(CASES * SHARE[database])

  it(
    `answers ${cases} requests with what the protocol knows, tells nothing of itself, and lives`,
    async () => {
      const seed = seedOfRun()
      await using target = await Target.open(database)

      for (let from = 0; from < cases; from += ROUND) {
        const tokens = await target.seed()
        let next = from
        const worker = async () => {
          while (next < Math.min(from + ROUND, cases)) {
            const n = next++
            const one = fuzzCase(new Random(seed + n * 7919), '/test/sandbox')
            const reply = await target.send(one, tokens)
            if (reply !== null)
              check(
                reply,
                () =>
                  `seed ${seed}, case ${n}: ${JSON.stringify({ ...one, body: one.body?.toString('latin1').slice(0, 2000) })}`,
              )
            expect([n, target.errors]).toEqual([n, []])
          }
        }
        await Promise.all(Array.from({ length: AT_A_TIME }, worker))
      }

      await target.seed()
      expect(await target.close()).toEqual([])
    },
    CASES * 30 + 60_000,
  )

  it('answers what is no HTTP, or smuggles lines, without taking it for its own', async () => {
    const seed = seedOfRun()
    await using target = await Target.open(database)
    await target.seed()

    for (let n = 0; n < Math.max(100, cases / 50); n++) {
      const text = rawCase(new Random(seed + n * 7919))
      const replies = await target.exchange(text)
      const told = `seed ${seed}, case ${n}: ${JSON.stringify(text)}`
      expect([replies === '' || /^HTTP\/1\.1 (?:100|[234]\d\d) /.test(replies), told]).toEqual([true, told])
      for (const head of replies.split(/(?=^HTTP\/1\.1 )/m).map((reply) => reply.split('\r\n\r\n')[0]!))
        expect([/^x-injected/im.test(head), told]).toEqual([false, told])
      for (const secret of SECRETS) expect([secret.test(replies), told]).toEqual([false, told])
      expect([target.errors, told]).toEqual([[], told])
    }

    expect(await target.close()).toEqual([])
  }, 120_000)
})

const check = ({ status, headers, text }: Reply, told: () => string): void => {
  if (status >= 500) throw new Error(`${status} ${text}\n${told()}`)
  if ('x-injected' in headers) throw new Error(`A header was injected\n${told()}`)
  for (const secret of SECRETS) if (secret.test(text)) throw new Error(`${secret} in ${text}\n${told()}`)
  if (text === '' || headers['content-type'] === 'application/javascript') return
  const body = JSON.parse(text)
  if (status < 400) return
  const { error, error_description: description, exception, timestamp, duration } = body
  const types = [error, description, exception, timestamp, duration].map((value) => typeof value).join()
  if (types !== 'string,string,string,number,number')
    throw new Error(`Not the shape of an error: ${text}\n${told()}`)
}
