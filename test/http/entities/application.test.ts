import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer } from '../../support/application.js'

describe.each(DATABASES)('an application on %s', (database) => {
  const server = sharedServer(database)

  it('shows itself with its collections, the built-in ones always', async () => {
    const app = await server.application()
    await app.post('/dogs', [{ name: 'a' }, { name: 'b' }])
    await app.post('/users', { username: 'ada' })

    const { body } = await app.get('')

    const [{ created, modified }] = body.entities
    expect(body).toEqual({
      action: 'get',
      application: app.uuid,
      params: {},
      uri: `${app.url}/${app.name}`,
      entities: [
        {
          uuid: app.uuid,
          type: 'application',
          name: app.name,
          created,
          modified,
          organization: app.organizationUuid,
          organizationName: app.organization,
          applicationName: 'sandbox',
          metadata: {
            collections: Object.fromEntries(
              [
                ['activities', 'Activities', 'activity', 0],
                ['assets', 'Assets', 'asset', 0],
                ['devices', 'Devices', 'device', 0],
                ['dogs', 'Dogs', 'dog', 2],
                ['events', 'Events', 'event', 0],
                ['folders', 'Folders', 'folder', 0],
                ['groups', 'Groups', 'group', 0],
                ['notifications', 'Notifications', 'notification', 0],
                ['roles', 'Roles', 'role', 3],
                ['users', 'Users', 'user', 1],
              ].map(([name, title, type, count]) => [name, { title, count, name, type }]),
            ),
          },
        },
      ],
      timestamp: expect.any(Number),
      duration: expect.any(Number),
      organization: app.organization,
      applicationName: 'sandbox',
    })
  })

  it('keeps a collection in the list when it is empty again', async () => {
    const app = await server.application()
    await app.post('/dogs', { name: 'a' })
    await app.delete('/dogs/a')

    expect((await app.get('')).body.entities[0].metadata.collections.dogs).toMatchObject({ count: 0 })
  })

  it('takes properties from administrators', async () => {
    const app = await server.application()

    const put = await app.admin.put('', {
      accesstokenttl: 1000,
      motto: 'hi',
      name: 'x',
      organization: 'y',
      deleted: 1,
    })
    const posted = await app.admin.post('', {})

    expect(put.status).toBe(200)
    expect(put.body).toMatchObject({
      action: 'put',
      entities: [{ accesstokenttl: 1000, motto: 'hi', name: app.name, organization: app.organizationUuid }],
    })
    expect(put.body.entities[0]).not.toHaveProperty('deleted')
    expect(posted.body).toMatchObject({ action: 'post', entities: [{ motto: 'hi' }] })
  })

  it('takes none from anybody else, however open it is', async () => {
    const app = await server.application()
    const ada = await app.signedUp('ada')

    for (const caller of [app, ada])
      for (const method of ['PUT', 'POST']) {
        const { status, body } = await caller.send(method, '', { motto: 'hi' })
        expect([status, body.error]).toEqual([401, 'unauthorized'])
      }
  })

  it('says hello', async () => {
    const app = await server.application()

    expect((await app.get('/hello')).body).toMatchObject({
      action: 'get',
      data: { say: 'Hello!' },
      entities: [],
    })
  })
})
