import type { AppCatalog, Catalogs } from '../catalog.js'
import type { SqlConnection } from '../connection.js'
import type { Dialect } from '../sql.js'
import { all } from '../sql.js'
import type { Findings } from './findings.js'

/** Names of the properties of a collection whose values are unique. */
export type UniqueProperties = (collection: string) => readonly string[]

/** Told how far an examination is. `total` is 0 where it is not known. */
export type OnProgress = (progress: { step: string; done: number; total: number }) => void

/** One state of the database, and what is found in it. */
export class Patient {
  readonly connection: SqlConnection
  readonly dialect: Dialect
  readonly findings: Findings
  readonly uniqueProperties: UniqueProperties
  readonly #catalogs: Catalogs
  #loaded: AppCatalog | undefined

  constructor(
    connection: SqlConnection,
    catalogs: Catalogs,
    findings: Findings,
    uniqueProperties: UniqueProperties,
  ) {
    this.connection = connection
    this.dialect = catalogs.dialect
    this.findings = findings
    this.uniqueProperties = uniqueProperties
    this.#catalogs = catalogs
  }

  /** Read in this state. Checks go through one application after the other, so that the last one is enough. */
  async catalog(app: number): Promise<AppCatalog> {
    if (this.#loaded?.app !== app) this.#loaded = await this.#catalogs.load(this.connection, app)
    return this.#loaded
  }

  all<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return all<Row>(this.connection, this.dialect, { text, values })
  }
}
