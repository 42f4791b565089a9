import sqlite3, { type Database, type Statement } from 'sqlite3'
import { type Doc, type ItemsSql, type NewRow, type Row, serveItems } from './items-server.js'
import { PERMISSION, SESSION } from './session.js'

const READERS = 4
const SCHEMA = `
  CREATE TABLE items(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
    category TEXT, score REAL, doc TEXT NOT NULL);
  CREATE INDEX items_category ON items(category, score DESC);
  CREATE INDEX items_score ON items(score);
  CREATE TABLE likes(source INTEGER NOT NULL, target INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY(source, target)) WITHOUT ROWID;
  CREATE INDEX likes_by_time ON likes(source, at DESC, target);
  CREATE TABLE sessions(token TEXT PRIMARY KEY, role TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE permissions(role TEXT NOT NULL, permission TEXT NOT NULL, PRIMARY KEY(role, permission)) WITHOUT ROWID;
  INSERT INTO sessions VALUES ('${SESSION}', 'reader');
  INSERT INTO permissions VALUES ('reader', '${PERMISSION}');`
const PRAGMAS = `PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA busy_timeout=5000;`

const open = (path: string): Promise<Database> =>
  new Promise((resolve, reject) => {
    const database = new sqlite3.Database(path, (error) =>
      error === null ? resolve(database) : reject(error),
    )
  })

const exec = (database: Database, sql: string): Promise<void> =>
  new Promise((resolve, reject) => {
    database.exec(sql, (error) => (error === null ? resolve() : reject(error)))
  })

interface RawRow {
  id: number
  doc: string
}

const all = <T>(statement: Statement, ...values: unknown[]): Promise<T[]> =>
  new Promise((resolve, reject) => {
    statement.all<T>(values, (error, rows) => (error === null ? resolve(rows) : reject(error)))
  })

/** The same statement on every reading connection, used in turn. */
class Reading {
  readonly #statements: Statement[]
  #next = 0

  constructor(readers: readonly Database[], sql: string) {
    this.#statements = readers.map((reader) => reader.prepare(sql))
  }

  async rows(...values: unknown[]): Promise<Row[]> {
    return (await this.raw<RawRow>(...values)).map(parsed)
  }

  raw<T>(...values: unknown[]): Promise<T[]> {
    this.#next = (this.#next + 1) % this.#statements.length
    return all<T>(this.#statements[this.#next]!, ...values)
  }
}

const parsed = ({ id, doc }: RawRow): Row => ({ id, doc: JSON.parse(doc) as Doc })

/** Every write is one statement, so that SQLite itself makes it a transaction. */
class SqliteItems implements ItemsSql {
  readonly #writes
  readonly #reads

  constructor(writer: Database, readers: readonly Database[]) {
    const reading = (sql: string) => new Reading(readers, sql)
    this.#writes = {
      insert: writer.prepare('INSERT INTO items(uuid, name, category, score, doc) VALUES (?,?,?,?,?)'),
      insertMany: writer.prepare(
        `INSERT INTO items(uuid, name, category, score, doc) SELECT value->>'uuid', value->>'name',
         value->>'category', value->>'score', value FROM json_each(?)`,
      ),
      update: writer.prepare(
        `UPDATE items SET category=coalesce(?,category), score=coalesce(?,score), doc=json_patch(doc,?)
         WHERE uuid=? RETURNING id, doc`,
      ),
      remove: writer.prepare('DELETE FROM items WHERE uuid=? RETURNING id, doc'),
      connect: writer.prepare(
        `INSERT INTO likes SELECT s.id, t.id, ? FROM items s, items t WHERE s.uuid=? AND t.uuid=?
         ON CONFLICT(source, target) DO UPDATE SET at=excluded.at`,
      ),
    }
    this.#reads = {
      byUuid: reading('SELECT id, doc FROM items WHERE uuid=?'),
      byName: reading('SELECT id, doc FROM items WHERE name=?'),
      equalitySorted: reading('SELECT id, doc FROM items WHERE category=? ORDER BY score DESC LIMIT ?'),
      range: reading('SELECT id, doc FROM items WHERE score>=? AND score<? ORDER BY score LIMIT ?'),
      page: reading('SELECT id, doc FROM items WHERE id<? ORDER BY id DESC LIMIT ?'),
      connections: reading(
        `SELECT t.id, t.doc FROM items s JOIN likes l ON l.source=s.id JOIN items t ON t.id=l.target
         WHERE s.uuid=? ORDER BY l.at DESC LIMIT ?`,
      ),
      may: reading(
        'SELECT 1 FROM sessions JOIN permissions USING (role) WHERE sessions.token=? AND permissions.permission=?',
      ),
    }
  }

  async insert(rows: NewRow[]): Promise<void> {
    if (rows.length > 1)
      return void (await all(this.#writes.insertMany, JSON.stringify(rows.map(({ doc }) => doc))))
    const { uuid, doc } = rows[0]!
    await all(this.#writes.insert, uuid, doc['name'], doc['category'], doc['score'], JSON.stringify(doc))
  }

  byUuid = (uuid: string) => this.#reads.byUuid.rows(uuid)
  byName = (name: string) => this.#reads.byName.rows(name)
  equalitySorted = (category: string, limit: number) => this.#reads.equalitySorted.rows(category, limit)
  range = (from: number, to: number, limit: number) => this.#reads.range.rows(from, to, limit)
  page = (before: number | null, limit: number) =>
    this.#reads.page.rows(before ?? Number.MAX_SAFE_INTEGER, limit)
  connections = (source: string, limit: number) => this.#reads.connections.rows(source, limit)

  async may(token: string, permission: string): Promise<boolean> {
    return (await this.#reads.may.raw(token, permission)).length === 1
  }

  async update(uuid: string, changes: Doc): Promise<Row[]> {
    const { update } = this.#writes
    return (
      await all<RawRow>(update, changes['category'], changes['score'], JSON.stringify(changes), uuid)
    ).map(parsed)
  }

  async remove(uuid: string): Promise<Row[]> {
    return (await all<RawRow>(this.#writes.remove, uuid)).map(parsed)
  }

  async connect(source: string, target: string): Promise<void> {
    await all(this.#writes.connect, Date.now(), source, target)
  }
}

const path = process.env['DATABASE']!
const writer = await open(path)
await exec(writer, PRAGMAS + SCHEMA)
const readers = await Promise.all(Array.from({ length: READERS }, () => open(path)))
await Promise.all(readers.map((reader) => exec(reader, PRAGMAS)))
serveItems(new SqliteItems(writer, readers))
