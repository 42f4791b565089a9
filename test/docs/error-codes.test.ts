import { readFile } from 'node:fs/promises'
import { ERROR_CODES } from '@entigrid/core'
import { describe, expect, it } from 'vitest'

const PAGE = new URL('../../docs/http-api.md', import.meta.url)
const ROW = /^\| `([a-z_]+)` +\| (\d{3}) +\| (.+) \|$/

/** The rows of the table of errors, which ends the page. */
const documented = async (): Promise<[code: string, status: number, when: string][]> => {
  const [, errors = ''] = (await readFile(PAGE, 'utf8')).split('\n## Errors\n')
  return errors
    .split('\n')
    .map((line) => ROW.exec(line))
    .filter((row) => row !== null)
    .map(([, code, status, when]) => [code!, Number(status), when!.trim()])
}

describe('the table of errors in docs/http-api.md', () => {
  it('lists every code with its status, in the order of the source, and no other', async () => {
    const rows = await documented()

    expect(rows.map(([code, status]) => [code, status])).toEqual(Object.entries(ERROR_CODES))
  })

  it('says of every code when it comes', async () => {
    const rows = await documented()

    expect(rows.filter(([, , when]) => when.length < 10)).toEqual([])
  })
})
