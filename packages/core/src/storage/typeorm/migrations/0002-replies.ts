import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Replies kept for requests that may come again with the same idempotency key. `key` also names who asked. */
const sqlite = [
  `CREATE TABLE reply (
     app_id INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, expires INTEGER NOT NULL,
     PRIMARY KEY (app_id, key)) WITHOUT ROWID`,
  `CREATE INDEX reply_expires ON reply (expires)`,
]

const postgres = [
  `CREATE TABLE reply (
     app_id bigint NOT NULL, key text COLLATE "C" NOT NULL, value text NOT NULL, expires bigint NOT NULL,
     PRIMARY KEY (app_id, key))`,
  `CREATE INDEX reply_expires ON reply (expires)`,
]

export class Replies1764000000002 implements MigrationInterface {
  readonly name = 'Replies1764000000002'

  async up(runner: QueryRunner): Promise<void> {
    const statements = runner.connection.options.type === 'postgres' ? postgres : sqlite
    for (const statement of statements) await runner.query(statement)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE reply')
  }
}
