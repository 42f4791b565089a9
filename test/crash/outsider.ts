import pg from 'pg'

const DEADLOCK = '40P01'

/** Somebody with a connection of his own to the database of a server, who gets in its way. */
export class Outsider implements AsyncDisposable {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async connect(url: string): Promise<Outsider> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return new Outsider(client)
  }

  async run(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.#client.query(sql)).rows
  }

  /** Ends the connection, or the statement, of a transaction that is under way; returns whether there was one. */
  async interrupt(how: 'pg_terminate_backend' | 'pg_cancel_backend'): Promise<boolean> {
    const rows = await this.run(`SELECT ${how}(pid) AS done FROM pg_stat_activity
      WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND xact_start IS NOT NULL
      ORDER BY random() LIMIT 1`)
    return rows[0]?.['done'] === true
  }

  /** Has that part of all statements which change entities fail, with one of these SQLSTATEs. */
  async failStatements(part: number, states: readonly string[]): Promise<void> {
    const state = `(ARRAY['${states.join("', '")}'])[1 + floor(random() * ${states.length})]`
    await this.run('CREATE SEQUENCE failures')
    await this.run(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF random() < ${part} THEN
        PERFORM nextval('failures');
        RAISE EXCEPTION 'a failure' USING ERRCODE = ${state};
      END IF;
      RETURN NULL; END $$`)
    await this.run(`CREATE TRIGGER fail BEFORE INSERT OR UPDATE OR DELETE ON entity
      FOR EACH STATEMENT EXECUTE FUNCTION fail()`)
  }

  /** Returns how many statements have failed. */
  async endFailures(): Promise<number> {
    await this.run('DROP TRIGGER fail ON entity')
    const [row] = await this.run('SELECT last_value::int AS count FROM failures')
    await this.run('DROP FUNCTION fail')
    await this.run('DROP SEQUENCE failures')
    return row!['count'] as number
  }

  /** Locks the entity of that name; returns `false` when PostgreSQL ends a deadlock at our expense. */
  async lock(name: string): Promise<boolean> {
    try {
      await this.run(`SELECT 1 FROM entity WHERE doc LIKE '%"name":"${name}"%' FOR UPDATE`)
      return true
    } catch (error) {
      if ((error as { code?: string }).code === DEADLOCK) return false
      throw error
    }
  }

  /** Resolves once somebody waits for a lock that this connection holds. */
  async waitedFor(): Promise<void> {
    const waiting = 'SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))'
    while ((await this.run(waiting)).length === 0);
  }

  /** How many there have been so far. */
  async deadlocks(): Promise<number> {
    const [row] = await this.run(
      'SELECT deadlocks::int AS count FROM pg_stat_database WHERE datname = current_database()',
    )
    return row!['count'] as number
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client.end()
  }
}
