import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

it('prints what its README says', async () => {
  const readme = await readFile(here('README.md'), 'utf8')
  const [, shown] = /prints\n\n```\n(.*?)```/s.exec(readme)!

  const { stdout } = await promisify(execFile)(process.execPath, [here('main.js')])

  expect(stdout).toBe(shown)
})
