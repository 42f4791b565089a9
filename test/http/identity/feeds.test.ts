import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer, TIME, UUID } from '../../support/application.js'

describe.each(DATABASES)('the feed on %s', (database) => {
  const server = sharedServer(database)

  /** Two organizations whose owners share nothing: ada of `app`, bob of `other`. */
  const open = async () => {
    const [app, other] = [await server.application(), await server.application()]
    return { app, other, ada: app.management, bob: other.management, guest: app.as(undefined, '') }
  }
  const titles = ({ body }: { body: { entities: { title: string }[] } }) =>
    body.entities.map(({ title }) => title.replace(/^<a .*<\/a> /, ''))

  it('of an organization tells what was made and restored, the newest first', async () => {
    const { app, ada } = await open()
    const apps = `/management/orgs/${app.organization}/apps`
    const shop = await app.newApplication('shop')
    await ada.delete(`${apps}/shop?confirm_application_identifier=shop`)
    await ada.put(`${apps}/${shop.uuid}`)

    const { status, body } = await ada.get(`/management/orgs/${app.organization}/feed`)

    const actor = {
      displayName: app.owner.email,
      objectType: 'person',
      entityType: 'user',
      uuid: app.owner.uuid,
    }
    const link = `<a href="mailto:${app.owner.email}">${app.owner.email} (${app.owner.email})</a>`
    const activity = (verb: string, sentence: string, object: object) => ({
      uuid: UUID,
      type: 'activity',
      created: TIME,
      modified: TIME,
      published: TIME,
      category: 'admin',
      verb,
      title: `${link} ${sentence}`,
      actor,
      object,
    })
    const ofShop = {
      displayName: `${app.organization}/shop`,
      objectType: 'Application',
      entityType: 'application_info',
      uuid: shop.uuid,
    }
    expect(status).toBe(200)
    expect(body).toEqual({
      action: 'get organization feed',
      status: 'ok',
      entities: [
        activity('restore', `restored an application named ${app.organization}/shop`, ofShop),
        activity('create', `created a new application named ${app.organization}/shop`, ofShop),
        activity('create', `created a new organization account named ${app.organization}`, {
          displayName: app.organization,
          objectType: 'Organization',
          entityType: 'group',
          uuid: app.organizationUuid,
        }),
      ],
      timestamp: TIME,
      duration: TIME,
    })
  })

  it('names the organization where a program did it, and escapes what administrators call themselves', async () => {
    const { app, ada } = await open()
    const path = `/management/orgs/${app.organization}`
    const { client_id, client_secret } = (await ada.get(`${path}/credentials`)).body.credentials
    const form = new URLSearchParams({ client_id, client_secret, name: 'shop' })
    await ada.put('/management/users/me', { name: '<b>Ada</b>' })
    await app.newApplication('office')

    await app.as(undefined, '').post(`${path}/apps`, form)

    const [byProgram, byAda] = (await ada.get(`${path}/feed`)).body.entities
    expect(byProgram).toMatchObject({
      title: `${app.organization} created a new application named ${app.organization}/shop`,
      actor: { displayName: app.organization, entityType: 'group', uuid: app.organizationUuid },
    })
    expect(byAda.title).toContain(`&lt;b&gt;Ada&lt;/b&gt; (${app.owner.email})</a>`)
  })

  it('of an administrator is that of all organizations that he belongs to, in pages', async () => {
    const { app, other, ada, bob } = await open()
    await app.newApplication('shop')
    expect(titles(await bob.get('/management/users/me/feed'))).toEqual([
      `created a new organization account named ${other.organization}`,
    ])

    await ada.put(`/management/orgs/${app.organization}/users/${other.owner.uuid}`)

    const whole = await bob.get(`/management/users/${other.owner.username}/feed`)
    const first = await bob.get('/management/users/me/feed?limit=2')
    const rest = await bob.get(`/management/users/me/feed?limit=2&cursor=${first.body.cursor}`)
    expect(whole.body.action).toBe('get admin user feed')
    expect(titles(whole)).toEqual([
      `created a new application named ${app.organization}/shop`,
      `created a new organization account named ${other.organization}`,
      `created a new organization account named ${app.organization}`,
    ])
    expect([...titles(first), ...titles(rest)]).toEqual(titles(whole))
    expect(rest.body).not.toHaveProperty('cursor')
  })

  it('is empty for who belongs nowhere, and refuses a cursor of another feed', async () => {
    const { app, other, ada } = await open()
    await ada.put(`/management/orgs/${app.organization}/users/${other.owner.uuid}`)
    await ada.delete(`/management/users/me/orgs/${app.organization}`)

    const empty = await ada.get('/management/users/me/feed')
    const refused = await other.management.get('/management/users/me/feed?cursor=nonsense')

    expect([empty.status, empty.body.entities]).toEqual([200, []])
    expect([refused.status, refused.body.error]).toEqual([400, 'illegal_argument'])
  })

  it('is told to nobody else', async () => {
    const { app, bob, guest } = await open()

    for (const caller of [bob, guest])
      for (const path of [
        `orgs/${app.organization}/feed`,
        'orgs/nobody/feed',
        `users/${app.owner.username}/feed`,
        'users/nobody/feed',
      ]) {
        const { status, body } = await caller.get(`/management/${path}`)
        expect([status, body.error]).toEqual([401, 'unauthorized'])
      }
  })
})
