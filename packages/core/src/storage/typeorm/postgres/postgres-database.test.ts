import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../testing/databases.js'
import { PostgresDatabase } from './postgres-database.js'

let place: TestDatabase
let database: PostgresDatabase
const broken: Error[] = []
beforeAll(async () => {
  place = await openTestDatabase('postgres')
  database = open()
})
afterAll(async () => {
  await database.close()
  await place.remove()
})

const open = (options: object = {}) =>
  new PostgresDatabase(place.url, { ...place.options, onError: (error) => broken.push(error), ...options })

/** Ends the server's side of a connection, from outside, as an administrator would. */
const terminate = async (pid: number): Promise<void> => {
  const client = new pg.Client({ connectionString: place.url })
  await client.connect()
  await client.query('SELECT pg_terminate_backend($1, 5000)', [pid])
  await client.end()
}
const PID = 'SELECT pg_backend_pid() AS pid'

/** A network between us and the server that can be cut: connections end without any message. */
const cuttableLine = async (url: string) => {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    }
    near.pipe(far).pipe(near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const here = new URL(url)
  here.port = String((server.address() as AddressInfo).port)
  /** Resolves when the ends of all connections have closed. */
  const cut = async () => {
    const closed = [...sockets].map((socket) => once(socket, 'close'))
    for (const socket of sockets) socket.destroy()
    await Promise.all(closed)
  }
  const end = async () => {
    await cut()
    server.close()
  }
  return { url: here.href, cut, [Symbol.asyncDispose]: end }
}

describe('a PostgreSQL database', () => {
  it('works in its schema', async () => {
    await database.write((c) => c.run('CREATE TABLE here (a int)'))

    const rows = await database.read((c) =>
      c.all("SELECT schemaname FROM pg_tables WHERE tablename = 'here'"),
    )

    expect(rows).toEqual([{ schemaname: place.options.schema }])
  })

  it('reads JSON as text, and leaves what other pools in the process read alone', async () => {
    const sql = `SELECT '{"a": 1}'::json AS json, '{"a": 1}'::jsonb AS jsonb, 5::bigint AS big`
    const theirs = new pg.Client({ connectionString: place.url })
    await theirs.connect()

    const [ours] = await database.read((c) => c.all(sql))
    const { rows } = await theirs.query(sql)
    await theirs.end()

    expect(ours).toEqual({ json: '{"a": 1}', jsonb: '{"a": 1}', big: 5 })
    expect(rows).toEqual([{ json: { a: 1 }, jsonb: { a: 1 }, big: '5' }])
  })

  it('takes lists, of bytes and with nothing in between', async () => {
    const [row] = await database.read((c) =>
      c.all('SELECT $1::bytea[] AS bytes, $2::text[] AS texts', [
        [Buffer.from([0, 255]), null],
        ['a"b', null, '{}'],
      ]),
    )

    expect(row).toEqual({ bytes: [Buffer.from([0, 255]), null], texts: ['a"b', null, '{}'] })
  })

  it('prepares a statement on a connection once it is used again', async () => {
    const names = await database.read(async (c) => {
      for (let i = 0; i < 3; i++) await c.all('SELECT 1234 AS prepared')
      return c.all(
        "SELECT count(*) AS n FROM pg_prepared_statements WHERE statement = 'SELECT 1234 AS prepared'",
      )
    })

    expect(names).toEqual([{ n: 1 }])
  })

  it('reports a transaction in which a failed statement went unnoticed', async () => {
    await database.write((c) => c.run('CREATE TABLE noticed (a int)'))

    const writing = database.write(async (c) => {
      await c.run('INSERT INTO noticed VALUES (1)')
      await c.run('nonsense').catch(() => undefined)
    })

    await expect(writing).rejects.toThrow('rolled back')
    expect(await database.read((c) => c.all('SELECT * FROM noticed'))).toEqual([])
  })

  it('calls a connection that is lost during work unavailable, and works on with another', async () => {
    const failures: unknown[] = []
    const lost = async (work: () => Promise<unknown>) => {
      failures.push(
        await work().then(
          () => 'none',
          (error) => database.classify(error),
        ),
      )
    }

    await lost(() =>
      database.read(async (c) => {
        const [row] = await c.all<{ pid: number }>(PID)
        await terminate(row!.pid)
        await c.all('SELECT 1')
      }),
    )
    await lost(() =>
      database.write(async (c) => {
        const [row] = await c.all<{ pid: number }>(PID)
        await terminate(row!.pid)
      }),
    )
    await lost(() =>
      database.write(async (c) => {
        const [row] = await c.all<{ pid: number }>(PID)
        await Promise.all([c.all('SELECT pg_sleep(30)'), terminate(row!.pid)])
      }),
    )

    expect(failures).toEqual(['unavailable', 'unavailable', 'unavailable'])
    for (let i = 0; i < 10; i++)
      expect(await database.read((c) => c.all('SELECT 1 AS n'))).toEqual([{ n: 1 }])
  })

  it('calls a connection that ends without a word unavailable', async () => {
    await using line = await cuttableLine(place.url)
    const distant = new PostgresDatabase(line.url)
    const failures: unknown[] = []
    const lost = (work: Promise<unknown>) =>
      work
        .then(
          () => 'none',
          (error) => distant.classify(error),
        )
        .then((kind) => failures.push(kind))

    await lost(distant.read((c) => Promise.all([c.all('SELECT pg_sleep(30)'), line.cut()])))
    await lost(
      distant.write(async (c) => {
        await c.all('SELECT 1')
        await line.cut()
      }),
    )
    await lost(
      distant.read(async (c) => {
        await c.all('SELECT 1')
        await line.cut()
        await c.all('SELECT 1')
      }),
    )
    const healed = await distant.read((c) => c.all('SELECT 1 AS n'))
    await distant.close()

    expect(failures).toEqual(['unavailable', 'unavailable', 'unavailable'])
    expect(healed).toEqual([{ n: 1 }])
  })

  it('calls a server that goes away right after it let us in unavailable', async () => {
    const message = (type: string, body: string) => {
      const head = Buffer.alloc(5)
      head.write(type)
      head.writeInt32BE(body.length + 4, 1)
      return Buffer.concat([head, Buffer.from(body, 'latin1')])
    }
    const welcome = [message('R', '\0\0\0\0'), message('Z', 'I')]
    const farewell = message('E', 'SFATAL\0C57P01\0Mgone\0\0')
    const server = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .once('data', () => socket.end(Buffer.concat([...welcome, farewell]))),
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const leaving = new PostgresDatabase(`postgres://ann@127.0.0.1:${port}/x`)

    const failure = await leaving.read((c) => c.all('SELECT 1')).catch((error) => leaving.classify(error))
    await leaving.close()
    server.close()

    expect(failure).toBe('unavailable')
  })

  it('tells of a connection that is lost while idle, and works on with another', async () => {
    let tell = (_: Error): void => undefined
    const told = new Promise<Error>((resolve) => {
      tell = resolve
    })
    const own = open({ onError: tell })
    const [row] = await own.read((c) => c.all<{ pid: number }>(PID))

    await terminate(row!.pid)

    expect(await told).toBeInstanceOf(Error)
    expect(await own.read((c) => c.all('SELECT 1 AS n'))).toEqual([{ n: 1 }])
    await own.close()
  })

  it('lets as many transactions run together as half its connections, so that each can read on the side', async () => {
    const own = open({ poolSize: 4 })
    let writing = 0
    let most = 0

    const read = await Promise.all(
      Array.from({ length: 20 }, () =>
        own.write(async (c) => {
          most = Math.max(most, ++writing)
          await c.all('SELECT 1')
          const rows = await own.read((other) => other.all<{ n: number }>('SELECT 1 AS n'))
          writing--
          return rows[0]!.n
        }),
      ),
    )
    await own.close()

    expect(own.writers).toBe(2)
    expect(most).toBe(2)
    expect(read).toEqual(Array(20).fill(1))
  })

  it('calls a deadlock a reason to try again', async () => {
    await database.write((c) => c.run('CREATE TABLE pair (id int PRIMARY KEY, n int)'))
    await database.write((c) => c.run('INSERT INTO pair VALUES (1, 0), (2, 0)'))
    let arrived = 0
    let bothHere = (): void => undefined
    const both = new Promise<void>((resolve) => {
      bothHere = resolve
    })
    const lock = (first: number, second: number) =>
      database.write(async (c) => {
        await c.run('UPDATE pair SET n = 1 WHERE id = $1', [first])
        if (++arrived === 2) bothHere()
        await both
        await c.run('UPDATE pair SET n = 1 WHERE id = $1', [second])
      })

    const results = await Promise.allSettled([lock(1, 2), lock(2, 1)])

    const failures = results.flatMap((result) =>
      result.status === 'rejected' ? [database.classify(result.reason)] : [],
    )
    expect(failures).toEqual(['retry'])
  })

  it.each([
    ['a statement that took too long', "SET LOCAL statement_timeout = '1ms'", 'unavailable'],
    [
      'a transaction that did nothing for too long',
      "SET LOCAL idle_in_transaction_session_timeout = '1ms'",
      'unavailable',
    ],
    ['a lock that was not had in time', "SET LOCAL lock_timeout = '1ms'", 'retry'],
  ])('sees that %s is no fault of ours', async (_, limit, failure) => {
    const failed = await database
      .write((holder) =>
        holder.run('SELECT pg_advisory_xact_lock(1)').then(() =>
          database.write(async (c) => {
            await c.run(limit)
            // Long enough for the server to notice that nothing comes.
            await holder.run('SELECT pg_sleep(0.1)')
            await c.run('SELECT pg_advisory_xact_lock(1)')
          }),
        ),
      )
      .catch((error) => database.classify(error))

    expect(failed).toBe(failure)
    expect(await database.read((c) => c.all('SELECT 1 AS n'))).toEqual([{ n: 1 }])
  })

  it('calls a server that is not there unavailable', async () => {
    const nowhere = new PostgresDatabase('postgres://postgres@127.0.0.1:1/postgres')

    const failure = await nowhere.read((c) => c.all('SELECT 1')).catch((error) => nowhere.classify(error))
    await nowhere.close()

    expect(failure).toBe('unavailable')
  })
})
