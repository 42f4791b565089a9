import { existsSync } from 'node:fs'
import pg from 'pg'
import { expect, it } from 'vitest'
import { startPostgres } from './postgres.js'

const query = async (url: string, sql: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

it('keeps what was committed over a crash, and nothing after it is stopped', async () => {
  const postgres = await startPostgres()
  await query(postgres.url, 'CREATE TABLE kept AS SELECT 7 AS n')
  const [{ folder }] = (await query(postgres.url, "SELECT current_setting('data_directory') AS folder")) as [
    { folder: string },
  ]

  await postgres.kill()
  const whileDown = await query(postgres.url, 'SELECT 1').catch((error) => error.code)
  await postgres.start()
  const afterwards = await query(postgres.url, 'SELECT n FROM kept')
  await postgres.stop()

  expect(whileDown).toBe('ECONNREFUSED')
  expect(afterwards).toEqual([{ n: 7 }])
  expect(existsSync(folder)).toBe(false)
})
