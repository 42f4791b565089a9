import { watch } from 'node:fs'
import { examine } from '@entigrid/core'
import { expect, it } from 'vitest'
import { type Installation, openInstallation } from '../support/installation.js'
import { startPostgres } from '../support/postgres.js'
import { send } from './door.js'
import { Outsider } from './outsider.js'
import { ENV, PASSWORD } from './target.js'

/** Changes of files at which a start on SQLite is killed. */
const CHANGES = [2, 8, 20, 45]
/** What has been done when a start on PostgreSQL is killed. */
const STAGES = [
  "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
  "SELECT 1 FROM pg_class WHERE relname = 'entigrid_migrations'",
  "SELECT 1 FROM pg_class WHERE relname = 'entity_index'",
  "SELECT 1 FROM pg_class WHERE relname = 'entity' AND pg_relation_size(oid) > 0",
]

const start = (installation: Installation) => installation.entigrid('start', '--port', '0')

/** Starts once more, and expects everything to be there. */
const expectWhole = async (installation: Installation, database: string): Promise<void> => {
  const server = start(installation)
  const url = await server.welcomed()
  const signIn = { grant_type: 'password', username: 'admin', password: PASSWORD }

  const token = await send({ url }, 'POST', 'management/token', { body: signIn })
  const dog = await send({ url: `${url}/demo/sandbox` }, 'POST', 'dogs', { body: { name: 'rex' } })

  expect([token.status, dog.status]).toEqual([200, 200])
  expect((await examine(database)).findings).toEqual([])
  server.stop('SIGKILL')
  await server.ended
}

it('sets up what a killed first start on SQLite has left undone', { timeout: 60_000 }, async () => {
  using installation = openInstallation(ENV)

  for (const changes of CHANGES) {
    const server = start(installation)
    let seen = 0
    const watcher = watch(installation.folder, { recursive: true }, () => {
      if (++seen === changes) server.stop('SIGKILL')
    })
    await Promise.race([server.ended, server.welcomed().catch(() => undefined)])
    server.stop('SIGKILL')
    const code = await server.ended
    watcher.close()
    expect(code).toBeNull()
  }

  await expectWhole(installation, `sqlite:${installation.folder}/data/entigrid.db`)
})

it('sets up what a killed first start on PostgreSQL has left undone', { timeout: 60_000 }, async () => {
  const postgres = await startPostgres()
  try {
    using installation = openInstallation({ ...ENV, ENTIGRID_DATABASE_URL: postgres.url })
    await using outsider = await Outsider.connect(postgres.url)

    for (const stage of STAGES) {
      const server = start(installation)
      while ((await outsider.run(stage)).length === 0);
      server.stop('SIGKILL')
      expect(await server.ended).toBeNull()
    }

    await expectWhole(installation, postgres.url)
  } finally {
    await postgres.stop()
  }
})
