import { describe, expect, it } from 'vitest'
import { DATABASES, openTestEngine } from '../../testing/index.js'

const SANDBOX = 'test/sandbox'

const open = async (database: (typeof DATABASES)[number]) => {
  const { engine, close } = await openTestEngine(database)
  await engine.bootstrap({ username: 'owner', password: 'a password for tests', organization: 'test' })
  const session = await engine.app(SANDBOX).asSystem('test')
  const france = await session.create('countries', { name: 'FR' })
  return { engine, session, france, [Symbol.asyncDispose]: close }
}

describe.each(DATABASES)('entities created through a connection on %s', (database) => {
  it('are connected in the order given, the last one first in the list', async () => {
    await using app = await open(database)

    const created = await app.session.createConnected(app.france, 'has', 'cities', [
      { name: 'lyon' },
      { name: 'paris' },
    ])

    const { entities } = await app.session.connected(app.france, 'has')
    expect(created.map(({ name }) => name)).toEqual(['lyon', 'paris'])
    expect(entities.map(({ uuid }) => uuid)).toEqual([created[1]!.uuid, created[0]!.uuid])
  })

  it('are none when one of them cannot be created', async () => {
    await using app = await open(database)
    await app.session.create('cities', { name: 'paris' })

    const attempt = app.session.createConnected(app.france, 'has', 'cities', [
      { name: 'lyon' },
      { name: 'paris' },
    ])

    await expect(attempt).rejects.toMatchObject({ code: 'duplicate_unique_property_exists' })
    expect(await app.session.find('cities', 'lyon')).toBeNull()
    expect((await app.session.connected(app.france, 'has')).entities).toEqual([])
  })

  it('are a thousand at most', async () => {
    await using app = await open(database)
    const bodies = Array.from({ length: 1001 }, (_, number) => ({ number }))

    await expect(app.session.createConnected(app.france, 'has', 'cities', bodies)).rejects.toMatchObject({
      code: 'illegal_argument',
    })
  })

  it('can sign in with the password they were given', async () => {
    await using app = await open(database)
    const password = 'correct horse battery'
    await app.session.createConnected(app.france, 'has', 'users', [{ username: 'ann', password }])

    const reply = await app.engine.handle({
      method: 'POST',
      path: `/${SANDBOX}/token`,
      search: '',
      baseUrl: '',
      body: { grant_type: 'password', username: 'ann', password },
    })

    expect(reply.status).toBe(200)
  })
})
