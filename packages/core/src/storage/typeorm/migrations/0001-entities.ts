import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * The whole of storage: documents, their index, unique values, connections, dictionaries and the change log.
 * One generic index table holds order-preserving keys for every property, so that neither collections nor
 * properties ever need a table or an index of their own. Every key begins with the application.
 */
const sqlite = [
  `CREATE TABLE sequence (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID`,
  `INSERT INTO sequence (name, next) VALUES ('id', 1000)`,
  `CREATE TABLE collection (
     app_id INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, settings TEXT,
     building INTEGER NOT NULL DEFAULT 0, epoch INTEGER NOT NULL DEFAULT 0,
     PRIMARY KEY (app_id, name)) WITHOUT ROWID`,
  `CREATE TABLE collection_count (
     app_id INTEGER NOT NULL, coll_id INTEGER NOT NULL, shard INTEGER NOT NULL, n INTEGER NOT NULL,
     PRIMARY KEY (app_id, coll_id, shard)) WITHOUT ROWID`,
  `CREATE TABLE path (
     app_id INTEGER NOT NULL, coll_id INTEGER NOT NULL, kind TEXT NOT NULL, def TEXT NOT NULL,
     id INTEGER NOT NULL, multi INTEGER NOT NULL DEFAULT 0, ready INTEGER NOT NULL DEFAULT 1,
     PRIMARY KEY (app_id, coll_id, kind, def)) WITHOUT ROWID`,
  `CREATE TABLE verb (
     app_id INTEGER NOT NULL, name TEXT NOT NULL, id INTEGER NOT NULL,
     PRIMARY KEY (app_id, name)) WITHOUT ROWID`,
  `CREATE TABLE entity (
     id INTEGER PRIMARY KEY, app_id INTEGER NOT NULL, coll_id INTEGER NOT NULL, uuid BLOB NOT NULL,
     doc TEXT NOT NULL, links TEXT)`,
  `CREATE UNIQUE INDEX entity_uuid ON entity (app_id, uuid)`,
  `CREATE INDEX entity_list ON entity (app_id, coll_id, id)`,
  `CREATE TABLE entity_index (
     app_id INTEGER NOT NULL, path_id INTEGER NOT NULL, key BLOB NOT NULL, eid INTEGER NOT NULL,
     PRIMARY KEY (app_id, path_id, key, eid)) WITHOUT ROWID`,
  `CREATE TABLE entity_unique (
     app_id INTEGER NOT NULL, path_id INTEGER NOT NULL, key BLOB NOT NULL, eid INTEGER NOT NULL,
     PRIMARY KEY (app_id, path_id, key)) WITHOUT ROWID`,
  `CREATE VIRTUAL TABLE entity_words USING fts5(
     words, content='', contentless_delete=1, detail=none, tokenize='ascii')`,
  `CREATE TABLE edge (
     app_id INTEGER NOT NULL, src INTEGER NOT NULL, verb_id INTEGER NOT NULL, tgt INTEGER NOT NULL,
     seq INTEGER NOT NULL, PRIMARY KEY (app_id, src, verb_id, tgt)) WITHOUT ROWID`,
  `CREATE UNIQUE INDEX edge_out ON edge (app_id, src, verb_id, seq, tgt)`,
  `CREATE UNIQUE INDEX edge_in ON edge (app_id, tgt, verb_id, seq, src)`,
  `CREATE TABLE dictionary (
     app_id INTEGER NOT NULL, eid INTEGER NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (app_id, eid, name, key)) WITHOUT ROWID`,
  `CREATE TABLE change (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, app_id INTEGER NOT NULL, coll_id INTEGER NOT NULL,
     uuid BLOB NOT NULL, kind TEXT NOT NULL, verb_id INTEGER, target BLOB, principal TEXT, at INTEGER NOT NULL)`,
  `CREATE INDEX change_app ON change (app_id, seq)`,
]

const postgres = [
  `CREATE SEQUENCE entity_id START 1000 CACHE 1`,
  `CREATE TABLE collection (
     app_id bigint NOT NULL, id bigint NOT NULL, name text COLLATE "C" NOT NULL, settings text,
     building int NOT NULL DEFAULT 0, epoch int NOT NULL DEFAULT 0,
     PRIMARY KEY (app_id, name))`,
  `CREATE TABLE collection_count (
     app_id bigint NOT NULL, coll_id bigint NOT NULL, shard int NOT NULL, n bigint NOT NULL,
     PRIMARY KEY (app_id, coll_id, shard)) WITH (fillfactor = 50)`,
  `CREATE TABLE path (
     app_id bigint NOT NULL, coll_id bigint NOT NULL, kind text COLLATE "C" NOT NULL, def text COLLATE "C" NOT NULL,
     id bigint NOT NULL, multi int NOT NULL DEFAULT 0, ready int NOT NULL DEFAULT 1,
     PRIMARY KEY (app_id, coll_id, kind, def))`,
  `CREATE TABLE verb (
     app_id bigint NOT NULL, name text COLLATE "C" NOT NULL, id bigint NOT NULL, PRIMARY KEY (app_id, name))`,
  `CREATE TABLE entity (
     app_id bigint NOT NULL, id bigint NOT NULL, coll_id bigint NOT NULL, uuid uuid NOT NULL,
     doc text NOT NULL, links text, PRIMARY KEY (app_id, id))`,
  `CREATE UNIQUE INDEX entity_uuid ON entity (app_id, uuid)`,
  `CREATE INDEX entity_list ON entity (app_id, coll_id, id)`,
  `CREATE TABLE entity_index (
     app_id bigint NOT NULL, path_id bigint NOT NULL, key bytea NOT NULL, eid bigint NOT NULL,
     PRIMARY KEY (app_id, path_id, key, eid))`,
  `CREATE TABLE entity_unique (
     app_id bigint NOT NULL, path_id bigint NOT NULL, key bytea NOT NULL, eid bigint NOT NULL,
     PRIMARY KEY (app_id, path_id, key))`,
  `CREATE TABLE entity_words (app_id bigint NOT NULL, eid bigint NOT NULL, words tsvector NOT NULL, PRIMARY KEY (app_id, eid))`,
  `CREATE INDEX entity_words_gin ON entity_words USING gin (words)`,
  `CREATE TABLE edge (
     app_id bigint NOT NULL, src bigint NOT NULL, verb_id bigint NOT NULL, tgt bigint NOT NULL, seq bigint NOT NULL,
     PRIMARY KEY (app_id, src, verb_id, tgt))`,
  `CREATE UNIQUE INDEX edge_out ON edge (app_id, src, verb_id, seq, tgt)`,
  `CREATE UNIQUE INDEX edge_in ON edge (app_id, tgt, verb_id, seq, src)`,
  `CREATE TABLE dictionary (
     app_id bigint NOT NULL, eid bigint NOT NULL, name text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL,
     value text NOT NULL, PRIMARY KEY (app_id, eid, name, key))`,
  `CREATE TABLE change (
     seq bigserial PRIMARY KEY, app_id bigint NOT NULL, coll_id bigint NOT NULL,
     uuid uuid NOT NULL, kind text NOT NULL, verb_id bigint, target uuid, principal text, at bigint NOT NULL)`,
  `CREATE INDEX change_app ON change (app_id, seq)`,
]

export class Entities1700000000001 implements MigrationInterface {
  readonly name = 'Entities1700000000001'

  async up(runner: QueryRunner): Promise<void> {
    const statements = runner.connection.options.type === 'postgres' ? postgres : sqlite
    for (const statement of statements) await runner.query(statement)
  }

  async down(): Promise<void> {
    throw new Error('The first migration cannot be undone; remove the database instead')
  }
}
