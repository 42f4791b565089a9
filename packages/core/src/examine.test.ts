import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, openEngine } from './app.js'
import type { JsonObject } from './domain/json.js'
import { examine } from './examine.js'
import type { SqlConnection, SqlDatabase } from './storage/typeorm/connection.js'
import type { Finding } from './storage/typeorm/doctor/findings.js'
import { connectDatabase } from './storage/typeorm/open-database.js'
import { DATABASES, openTestDatabase, type TestDatabase } from './testing/databases.js'

const SECRET = 'a secret that only tests know, long enough'
const CHEAP = { memoryCost: 1024, timeCost: 1, parallelism: 1 }

/** An engine with some of everything, and a way to its database behind its back. */
const openWorld = async (place: TestDatabase) => {
  const engine = await openEngine({
    database: place.url,
    ...place.options,
    secret: SECRET,
    passwordCost: CHEAP,
  })
  const { database, dataSource } = await connectDatabase(place.url, { ...place.options, readers: 1 })
  await engine.bootstrap({ username: 'owner', password: 'a password for tests', organization: 'test' })
  await fill(engine)
  const close = async () => {
    await dataSource.destroy()
    await database.close()
    await engine.close()
  }
  return { engine, database, close }
}

const send = async (engine: Engine, method: 'POST' | 'PUT' | 'DELETE', path: string, body?: JsonObject) => {
  const reply = await engine.handle({
    method,
    path: `/test/sandbox/${path}`,
    search: '',
    ...(body !== undefined && { body }),
    baseUrl: '',
    principal: { kind: 'system', reason: 'a test' },
  })
  if (reply.status !== 200) throw new Error(reply.body)
}

const fill = async (engine: Engine) => {
  for (let n = 0; n < 210; n++) {
    // Enough for several pages; some are rich in properties.
    if (n >= 30) {
      await send(engine, 'POST', 'dogs', { name: `dog ${n}`, age: n % 7 })
      continue
    }
    const location = { latitude: 48 + n / 100, longitude: 2 }
    await send(engine, 'POST', 'dogs', {
      name: `dog ${n}`,
      age: n % 7,
      tags: n % 3 === 0 ? ['a', 'b', `only ${n}`] : ['a'],
      text: `${'Ein schönes Haus, l’été — 猫 mañana '.repeat(2)} Nr. ${n} ${'y'.repeat(90)}`,
      location,
      owner: { name: 'Ann', since: 2000 + n },
      old: n % 2 === 0,
      0: 'a name that is a number',
    })
  }
  await send(engine, 'POST', 'dogs/_settings', {
    fields: ['name', 'age', 'tags', 'text', 'location', 'owner.name'],
    indexes: [['age', '-name']],
  })
  await send(engine, 'PUT', 'dogs/dog 3', { text: 'other words', tags: ['z', 'y'] })
  for (const n of [10, 11]) await send(engine, 'DELETE', `dogs/dog ${n}`)
  await send(engine, 'POST', 'users', { username: 'ann', email: 'ann@test', password: 'secret words 1' })
  await send(engine, 'POST', 'groups', { path: 'staff' })
  await send(engine, 'POST', 'groups/staff/users/ann')
  await send(engine, 'POST', 'users/ann/likes/dogs/dog 1')
  await send(engine, 'POST', 'users/ann/likes/dogs/dog 2')
  await send(engine, 'POST', 'dogs/dog 1/chases/dogs/dog 2')
  await send(engine, 'DELETE', 'users/ann/likes/dogs/dog 2')
}

const dog = (name: string) => `(SELECT id FROM entity WHERE doc LIKE '%"name":"${name}"%')`
const path = (kind: string, def: string) => `(SELECT id FROM path WHERE kind = '${kind}' AND def = '${def}'
  AND coll_id = (SELECT id FROM collection WHERE name = 'dogs'))`
const app = `(SELECT app_id FROM collection WHERE name = 'dogs')`
const bytes = (database: SqlDatabase, text: string) =>
  database.dialect === 'sqlite' ? `CAST('${text}' AS BLOB)` : `'${text}'::bytea`
/** A document with the name of another one. */
const copyName = (database: SqlDatabase) =>
  database.dialect === 'sqlite'
    ? `json_set(doc, '$.name', 'dog 20')`
    : `replace(doc, '"name":"dog 21"', '"name":"dog 20"')`

/** What is done to the database, what an examination must find, and what is left of it after a repair. */
const DAMAGES: {
  damage: string
  sql: (database: SqlDatabase) => string[]
  finds: string[]
  leaves?: string[]
}[] = [
  {
    damage: 'an index row is gone',
    sql: () => [`DELETE FROM entity_index WHERE path_id = ${path('value', 'age')} AND eid = ${dog('dog 5')}`],
    finds: ['index_missing'],
  },
  {
    damage: 'a composite index row is gone',
    sql: () => [
      `DELETE FROM entity_index WHERE eid = ${dog('dog 5')} AND path_id = (SELECT id FROM path WHERE kind = 'composite')`,
    ],
    finds: ['index_missing'],
  },
  {
    damage: 'the cell of a place is gone',
    sql: () => [
      `DELETE FROM entity_index WHERE path_id = ${path('geo', 'location')} AND eid = ${dog('dog 5')}`,
    ],
    finds: ['index_missing'],
  },
  {
    damage: 'an index row says something else',
    sql: (db) => [
      `UPDATE entity_index SET key = ${bytes(db, 'zz')} WHERE path_id = ${path('value', 'age')} AND eid = ${dog('dog 6')}`,
    ],
    finds: ['index_missing', 'index_extra'],
  },
  {
    damage: 'there are index rows of an entity and of a path that do not exist',
    sql: (db) => [
      `INSERT INTO entity_index (app_id, path_id, key, eid) VALUES (${app}, ${path('value', 'age')}, ${bytes(db, 'a')}, 1)`,
      `INSERT INTO entity_index (app_id, path_id, key, eid) VALUES (${app}, 2, ${bytes(db, 'a')}, ${dog('dog 5')})`,
    ],
    finds: ['index_extra'],
  },
  {
    damage: 'there is an index row of a property that is not to be queried',
    sql: (db) => [
      `INSERT INTO entity_index (app_id, path_id, key, eid) VALUES (${app}, ${path('value', 'old')}, ${bytes(db, 'a')}, ${dog('dog 5')})`,
    ],
    finds: ['index_extra'],
  },
  {
    damage: 'an index path is gone',
    sql: () => [`DELETE FROM path WHERE id = ${path('value', 'owner.name')}`],
    finds: ['path_missing', 'index_extra'],
  },
  {
    damage: 'a property is taken for one with single values',
    sql: () => [`UPDATE path SET multi = 0 WHERE id = ${path('value', 'tags')}`],
    finds: ['path_multi'],
  },
  {
    damage: 'the words of an entity are gone',
    sql: (db) => [
      db.dialect === 'sqlite'
        ? `DELETE FROM entity_words WHERE rowid = ${dog('dog 7')}`
        : `DELETE FROM entity_words WHERE eid = ${dog('dog 7')}`,
    ],
    finds: ['words_wrong'],
  },
  {
    damage: 'the words of an entity are others, and as many',
    sql: (db) =>
      db.dialect === 'sqlite'
        ? [
            `DELETE FROM entity_words WHERE rowid = ${dog('dog 3')}`,
            `INSERT INTO entity_words (rowid, words) VALUES (${dog('dog 3')}, 'p1xa p1xb p1xc p1xd p1xe p1xf p1xg')`,
          ]
        : [`UPDATE entity_words SET words = array_to_tsvector(ARRAY['p1xa']) WHERE eid = ${dog('dog 3')}`],
    finds: ['words_wrong'],
  },
  {
    damage: 'there are words of an entity that does not exist',
    sql: (db) => [
      db.dialect === 'sqlite'
        ? `INSERT INTO entity_words (rowid, words) VALUES (1, 'p1xhello')`
        : `INSERT INTO entity_words (app_id, eid, words) VALUES (${app}, 1, array_to_tsvector(ARRAY['p1xhello']))`,
    ],
    finds: ['words_ownerless'],
  },
  {
    damage: 'a unique value is not held',
    sql: () => [
      `DELETE FROM entity_unique WHERE path_id = ${path('unique', 'name')} AND eid = ${dog('dog 8')}`,
    ],
    finds: ['unique_missing'],
  },
  {
    damage: 'a unique value is held for another entity',
    sql: () => [
      `UPDATE entity_unique SET eid = ${dog('dog 9')} WHERE path_id = ${path('unique', 'name')} AND eid = ${dog('dog 8')}`,
    ],
    finds: ['unique_wrong', 'unique_extra'],
  },
  {
    damage: 'a unique value is held that nobody has',
    sql: (db) => [
      `INSERT INTO entity_unique (app_id, path_id, key, eid)
        VALUES (${app}, ${path('unique', 'name')}, ${bytes(db, 'nobody')}, ${dog('dog 8')})`,
    ],
    finds: ['unique_extra'],
  },
  {
    damage: 'a connection leads to nothing',
    sql: () => [`UPDATE edge SET tgt = 1 WHERE src = ${dog('dog 1')} AND tgt = ${dog('dog 2')}`],
    finds: ['edge_dangling', 'links_wrong'],
  },
  {
    damage: 'a connection has no verb',
    sql: () => [
      `INSERT INTO edge (app_id, src, verb_id, tgt, seq) VALUES (${app}, ${dog('dog 5')}, 1, ${dog('dog 6')}, 1)`,
    ],
    finds: ['edge_dangling'],
  },
  {
    damage: 'an entity lists a verb that it has no connection of',
    sql: () => [`UPDATE entity SET links = '{"out":["likes"]}' WHERE id = ${dog('dog 5')}`],
    finds: ['links_wrong'],
  },
  {
    damage: 'an entity does not list the verb of a connection',
    sql: () => [`UPDATE entity SET links = NULL WHERE doc LIKE '%"username":"ann"%'`],
    finds: ['links_wrong'],
  },
  {
    damage: 'there is a dictionary of no entity',
    sql: () => [`INSERT INTO dictionary (app_id, eid, name, key, value) VALUES (${app}, 1, 'd', 'k', 'v')`],
    finds: ['dictionary_ownerless'],
  },
  {
    damage: 'a count is wrong',
    sql: () => [
      `UPDATE collection_count SET n = n + 3 WHERE coll_id = (SELECT id FROM collection WHERE name = 'dogs')`,
    ],
    finds: ['count_wrong'],
  },
  {
    damage: 'the log says that an entity was removed which is there',
    sql: () => [
      `INSERT INTO change (app_id, coll_id, uuid, kind, at)
        SELECT app_id, coll_id, uuid, 'remove', 0 FROM entity WHERE id = ${dog('dog 12')}`,
    ],
    finds: ['change_wrong'],
  },
  {
    damage: 'an entity is gone that the log knows of',
    sql: () => [`DELETE FROM entity WHERE id = ${dog('dog 13')}`],
    finds: ['change_wrong', 'count_wrong', 'index_extra', 'unique_extra', 'words_ownerless'],
  },
  {
    damage: 'numbers would be given out again',
    sql: (db) =>
      db.dialect === 'sqlite'
        ? [
            `UPDATE sequence SET next = 1000 WHERE name = 'id'`,
            `UPDATE sqlite_sequence SET seq = 1 WHERE name = 'change'`,
          ]
        : [`SELECT setval('entity_id', 1000)`, `SELECT setval('change_seq_seq', 1)`],
    finds: ['sequence_behind'],
  },
  {
    damage: 'a document does not begin with its uuid',
    sql: () => [`UPDATE entity SET doc = replace(doc, '{"uuid"', '{ "uuid"') WHERE id = ${dog('dog 14')}`],
    finds: ['document_form'],
  },
  {
    damage: 'a document is damaged',
    sql: () => [`UPDATE entity SET doc = substr(doc, 1, 60) WHERE id = ${dog('dog 15')}`],
    finds: ['document'],
    leaves: ['document'],
  },
  {
    damage: 'two entities have a unique value, and the younger one holds it',
    sql: (db) => [
      `UPDATE entity SET doc = ${copyName(db)} WHERE id = ${dog('dog 21')}`,
      `UPDATE entity_unique SET eid = (SELECT max(id) FROM entity WHERE doc LIKE '%"name":"dog 20"%')
        WHERE path_id = ${path('unique', 'name')} AND key = ${bytes(db, 'dog 20')}`,
    ],
    finds: ['document', 'index_missing', 'index_extra', 'words_wrong', 'unique_contested', 'unique_extra'],
    leaves: ['document', 'unique_contested'],
  },
]

describe.each(DATABASES)('an examination on %s', (name) => {
  let place: TestDatabase
  let world: Awaited<ReturnType<typeof openWorld>>
  beforeAll(async () => {
    place = await openTestDatabase(name)
    world = await openWorld(place)
  })
  afterAll(async () => {
    await world.close()
    await place.remove()
  })
  const kinds = (findings: readonly Finding[]) => findings.map(({ kind }) => kind).sort()

  it('finds nothing where nothing is wrong, with its progress told', async () => {
    const steps: string[] = []
    const onProgress = ({ step, done, total }: { step: string; done: number; total: number }) =>
      steps.push(`${step} ${done}/${total}`)

    const { findings, notes } = await examine(place.url, { ...place.options, onProgress })

    expect(findings).toEqual([])
    expect(notes).toEqual([])
    expect(steps).toContain('change log 0/0')
    expect(steps.filter((step) => step.startsWith('entities')).length).toBeGreaterThan(2)
  })

  /** Does `work` while others write. */
  const whileWriting = async <T>(work: () => Promise<T>): Promise<T> => {
    const { engine } = world
    let isOver = false
    const write = async (n: number) => {
      for (let i = 0; !isOver; i++) {
        const name = `busy ${n} ${i}`
        await send(engine, 'POST', 'dogs', { name, age: i, tags: ['a', 'b'], text: 'Some words' })
        await send(engine, 'POST', `users/ann/likes/dogs/${name}`)
        await send(engine, 'PUT', `dogs/${name}`, { text: 'Other words', tags: null })
        await send(engine, 'PUT', `dogs/dog ${30 + n}`, { age: i })
        await send(engine, 'DELETE', `dogs/${name}`)
      }
    }
    const writing = [1, 2, 3, 4].map(write)
    try {
      return await work()
    } finally {
      isOver = true
      await Promise.all(writing)
    }
  }

  it('finds nothing while others write', async () => {
    const found = await whileWriting(async () => [
      ...(await examine(place.url, place.options)).findings,
      ...(await examine(place.url, place.options)).findings,
    ])

    expect(found).toEqual([])
  })

  it('mends while others write', async () => {
    const { database } = world
    const damages = [
      `DELETE FROM entity_index WHERE path_id = ${path('value', 'age')}`,
      `UPDATE collection_count SET n = n + 3 WHERE coll_id = (SELECT id FROM collection WHERE name = 'dogs')`,
      `UPDATE entity SET links = NULL WHERE id = ${dog('dog 1')}`,
    ]
    for (const text of damages) await database.write((connection) => connection.run(text))

    const { before, findings } = await whileWriting(() =>
      examine(place.url, { ...place.options, repair: true }),
    )

    expect(kinds(before)).toEqual(['count_wrong', 'index_missing', 'links_wrong'])
    expect(findings).toEqual([])
    expect((await examine(place.url, place.options)).findings).toEqual([])
  })

  it('notes that a rebuild of an index was broken off, and does it to the end', async () => {
    const { database } = world
    const change = (text: string) => database.write((connection) => connection.run(text))
    await change(`UPDATE collection SET building = 1 WHERE name = 'dogs'`)
    await change(`DELETE FROM entity_index WHERE path_id = ${path('value', 'age')}`)

    const told = await examine(place.url, place.options)
    const repaired = await examine(place.url, { ...place.options, repair: true })

    expect([told.findings, told.notes]).toEqual([[], [expect.stringContaining('rebuild')]])
    expect([repaired.findings, repaired.notes]).toEqual([[], []])
  })

  it.each(DAMAGES)('finds out that $damage, and mends what can be', async ({ sql, finds, leaves = [] }) => {
    const { database } = world
    for (const text of sql(database)) await database.write((connection) => connection.run(text))

    const { before, findings, complete } = await examine(place.url, { ...place.options, repair: true })

    expect(kinds(before)).toEqual([...finds].sort())
    expect(kinds(findings)).toEqual([...leaves].sort())
    expect(complete).toBe(true)
  })

  it('changes nothing unless it is asked to', async () => {
    const { database } = world
    await database.write((connection) => connection.run('UPDATE collection_count SET n = n + 1'))

    const [first, second] = [await examine(place.url, place.options), await examine(place.url, place.options)]

    expect(kinds(first.findings)).toContain('count_wrong')
    expect(second).toEqual(first)
  })
})

describe('an examination of a SQLite file', () => {
  it('mends an index of SQLite that lacks a row, and a full-text index that is damaged', async () => {
    await using place = await openTestDatabase('sqlite')
    const world = await openWorld(place)
    await world.close()
    const behind = async (work: (connection: SqlConnection) => Promise<unknown>) => {
      const { database, dataSource } = await connectDatabase(place.url, { readers: 1 })
      await database.write(work)
      await dataSource.destroy()
      await database.close()
    }
    const master = `SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master WHERE name = 'change_app'`
    let row: Record<string, unknown> = {}
    await behind(async (connection) => {
      ;[row] = (await connection.all(master)) as [Record<string, unknown>]
      await connection.all('PRAGMA writable_schema = ON')
      await connection.run(`DELETE FROM sqlite_master WHERE name = 'change_app'`)
    })
    await behind((connection) =>
      connection.run(`INSERT INTO change (app_id, coll_id, uuid, kind, at)
        SELECT app_id, coll_id, uuid, 'update', 0 FROM entity LIMIT 1`),
    )
    await behind(async (connection) => {
      await connection.all('PRAGMA writable_schema = ON')
      await connection.run('INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)', Object.values(row))
      await connection.run(`UPDATE entity_words_data SET block = zeroblob(50) WHERE id > 10`)
    })

    const { before, findings, complete } = await examine(place.url, { repair: true })

    const faults = before.find(({ kind }) => kind === 'file')!.examples
    expect(faults).toContainEqual(expect.stringContaining('missing from index change_app'))
    expect(faults).toContainEqual(expect.stringContaining('entity_words'))
    expect([findings, complete]).toEqual([[], true])
  })
})
