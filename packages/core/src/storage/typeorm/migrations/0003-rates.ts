import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * What processes on one PostgreSQL count together: requests, whose counts a crash of the database may lose, and
 * failed sign-ins. Only one process has a SQLite database, and keeps both to itself.
 */
const postgres = [
  `CREATE UNLOGGED TABLE rate (
     key text COLLATE "C" PRIMARY KEY, points bigint NOT NULL, expire bigint) WITH (fillfactor = 50)`,
  `CREATE INDEX rate_expire ON rate (expire)`,
  `CREATE TABLE attempt (
     key text COLLATE "C" PRIMARY KEY, failures bigint NOT NULL, locked_until bigint NOT NULL,
     forget_at bigint NOT NULL)`,
  `CREATE INDEX attempt_forget ON attempt (forget_at)`,
]

export class Rates1764000000003 implements MigrationInterface {
  readonly name = 'Rates1764000000003'

  async up(runner: QueryRunner): Promise<void> {
    if (runner.connection.options.type !== 'postgres') return
    for (const statement of postgres) await runner.query(statement)
  }

  async down(runner: QueryRunner): Promise<void> {
    if (runner.connection.options.type !== 'postgres') return
    await runner.query('DROP TABLE rate')
    await runner.query('DROP TABLE attempt')
  }
}
