import pg from 'pg'
import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm'
import { addressOf } from './address.js'

export interface PostgresDataSourceOptions
  extends Pick<DataSourceOptions, 'entities' | 'logging' | 'logger' | 'migrationsTableName'> {
  migrations?: (new () => MigrationInterface)[]
  schema?: string | undefined
  /** Told of connections that broke while idle. */
  onError?: ((error: Error) => void) | undefined
}

/** TypeORM on PostgreSQL, for migrations and small tables, with two connections of its own. */
export const createPostgresDataSource = (url: string, options: PostgresDataSourceOptions): DataSource => {
  const { schema, onError = () => undefined, ...others } = options
  const { connectionString, options: startup } = addressOf(url, schema)
  return new DataSource({
    ...others,
    type: 'postgres',
    driver: pg,
    url: connectionString,
    ...(schema !== undefined && { schema }),
    installExtensions: false,
    connectTimeoutMS: 5000,
    poolErrorHandler: onError,
    extra: { max: 2, ...(startup !== undefined && { options: startup }) },
  })
}
