import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres.js'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
  }
}

/** One PostgreSQL for the whole run, unless `ENTIGRID_TEST_POSTGRES_URL` names one that is already there. */
export default async ({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> => {
  const given = process.env.ENTIGRID_TEST_POSTGRES_URL
  if (given !== undefined) {
    provide('postgresUrl', given)
    return undefined
  }
  const start = performance.now()
  const postgres = await startPostgres()
  console.log(`PostgreSQL for tests started in ${Math.round(performance.now() - start)} ms`)
  process.env.ENTIGRID_TEST_POSTGRES_URL = postgres.url
  provide('postgresUrl', postgres.url)
  return async () => {
    delete process.env.ENTIGRID_TEST_POSTGRES_URL
    await postgres.stop()
  }
}
