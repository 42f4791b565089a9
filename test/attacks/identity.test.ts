import { describe, expect, it } from 'vitest'
import { unchangedPrototypes } from './prototypes.js'
import { attacked, GUEST } from './ways.js'

const PASSWORD = 'correct horse'

describe('attacks on identity', () => {
  unchangedPrototypes()
  const target = attacked('sqlite')

  /** An administrator of an organization of his own. */
  const newAdmin = async (name: string) => {
    const account = { organization: name, username: name, email: `${name}@x.test`, password: PASSWORD }
    await target().do(GUEST, 'POST', '/management/orgs', { body: account })
    const signIn = { grant_type: 'password', username: name, password: PASSWORD }
    const { body } = await target().do(GUEST, 'POST', '/management/token', { body: signIn })
    return { token: body.access_token as string, principal: GUEST.principal, uuid: body.user.uuid as string }
  }

  it('attack 9: what the management plane keeps is reached by no path of an application', async () => {
    const admin = await newAdmin('digger')
    const user = await target().user('/test/shop', 'digs', 'get,post,put,delete:/**')
    const words = [
      ...['signins', 'tokens', 'credentials', 'identities', 'factors', 'mail', 'system', 'configuration'],
      ...['auth/providers', 'auth/redirects', 'auth', '_keys', '.well-known/jwks.json', 'config', 'feed'],
    ]

    for (const who of [GUEST, user])
      for (const word of words)
        for (const path of [
          `/test/shop/${word}`,
          `/test/shop/roles/guest/${word}`,
          `/test/shop/users/digs/${word}`,
        ]) {
          const { status, body } = await target().do(who, 'GET', path)
          const text = JSON.stringify(body)
          expect([
            path,
            status < 500,
            /\$argon2|"b3U6|"YXA6|client_secret|"secret"|"hash"/.test(text),
          ]).toEqual([path, true, false])
        }
    // Of another's organization an administrator learns nothing, by whatever path.
    for (const path of [
      '/management/orgs/test',
      '/management/orgs/TEST/apps',
      '/management/orgs/%74est/users',
      '/management/orgs/test/credentials',
      '/management/orgs/test/feed',
      '/management/orgs/test/config',
      '/management/orgs/test/apps/shop/_size',
      '/management/orgs/test/apps/shop/credentials',
      '/management/orgs',
      '/test/shop/credentials',
      '/test/shop/users',
      '/test/shop/users/digs/permissions',
      '/test/shop/_access?user=digs&method=GET&path=/users',
    ]) {
      const [at = '', search = ''] = path.split('?')
      const { status, body } = await target().do(admin, 'GET', at, { search })
      expect([path, status, body.error]).toEqual([path, 401, 'unauthorized'])
    }
    const foreign = `/management/orgs/digger/apps/${target().shop}`
    for (const [method, path] of [
      ['GET', foreign],
      ['GET', `${foreign}/credentials`],
      ['POST', `${foreign}/credentials`],
      ['GET', `${foreign}/_size`],
      ['DELETE', foreign],
      ['PUT', foreign],
    ] as const) {
      const search = `confirm_application_identifier=${target().shop}`
      const { status, body } = await target().do(admin, method, path, { search })
      expect([method, path, status, body.error]).toEqual([method, path, 404, 'entity_not_found'])
    }
  })

  it('attack 10: nobody takes a name that is, or looks like, that of another', async () => {
    const { uuid } = await target().user('/test/shop', 'victor', 'get:/users/me')
    await target().admins('PUT', '/users/victor', { email: 'victor@x.test' })
    const sysadmin = target().server.owner.username

    for (const name of [
      ...['victor', 'VICTOR', 'ｖｉｃｔｏｒ', ' victor ', 'victor@x.test', uuid, 'me', 'ME'],
      ...['viсtor', 'victοr', 'vic\u200btor', 'victor\u202e', '\ufeffvic\u2060tor', 'victor\0', 'all', '..'],
    ]) {
      const asUsername = await target().do(GUEST, 'POST', '/test/shop/users', {
        body: { username: name, email: 'other@x.test' },
      })
      const taken = name === 'victor@x.test' ? 200 : 400
      expect([name, asUsername.status]).toEqual([name, taken])
      if (taken === 200) await target().admins('DELETE', `/users/${asUsername.body.entities[0].uuid}`)
    }
    for (const email of [
      'VICTOR@x.test',
      'ｖictor@x.test',
      'viсtor@x.test',
      'victor@x.tеst',
      'vic\u200btor@x.test',
    ])
      expect([
        email,
        (await target().do(GUEST, 'POST', '/test/shop/users', { body: { username: 'mallory', email } }))
          .status,
      ]).toEqual([email, 400])
    for (const username of [
      sysadmin,
      sysadmin.toUpperCase(),
      sysadmin.replace('o', 'ｏ'),
      sysadmin.replace('o', 'о'),
    ])
      for (const body of [
        { username, email: 'mallory@x.test', password: PASSWORD },
        { username, email: 'mallory@x.test', password: PASSWORD, organization: 'mallory' },
      ]) {
        const path = 'organization' in body ? '/management/orgs' : '/management/users'
        expect([username, (await target().do(GUEST, 'POST', path, { body })).status]).toEqual([username, 400])
      }
    expect((await target().admins('GET', '/users/victor')).entities).toMatchObject([{ uuid }])
  })

  it('attack 14: nobody gives himself what makes an administrator', async () => {
    const climber = await newAdmin('climber')
    const forged = {
      ...{ uuid: target().shop, type: 'role', created: 1, modified: 1, applicationId: 'x', adminUser: false },
      ...{ activated: false, confirmed: false, disabled: true, role: 'sysadmin', isSysadmin: true },
      ...{ organizations: { test: target().shop }, organization: 'test', credentials: { password: 'x' } },
      ...{
        token: 'x',
        client_secret: 'x',
        passwordChanged: 1,
        metadata: { a: 1 },
        signins: ['x'],
        system: { role: 'sysadmin' },
      },
    }

    const changed = await target().do(climber, 'PUT', '/management/users/me', { body: forged })
    const made = await target().do(GUEST, 'POST', '/management/users', {
      body: { ...forged, email: 'forged@x.test', password: PASSWORD },
    })
    const org = await target().do(climber, 'PUT', '/management/orgs/climber', {
      body: { ...forged, name: 'test', properties: { uuid: 'x', name: 'test' } },
    })
    const app = await target().do(climber, 'PUT', '/climber/sandbox', {
      body: { ...forged, name: 'test/shop', organizationName: 'test', applicationName: 'shop', deleted: 1 },
    })

    expect(changed.body.data).toMatchObject({
      uuid: climber.uuid,
      activated: true,
      disabled: false,
      adminUser: true,
    })
    expect(made.body.data.user).toMatchObject({ activated: true, disabled: false, adminUser: true })
    expect(made.body.data.user.uuid).not.toBe(target().shop)
    expect(org.body.organization).toMatchObject({
      name: 'climber',
      applications: { 'climber/sandbox': expect.any(String) },
    })
    expect(app.body.entities[0]).toMatchObject({
      ...{
        type: 'application',
        name: 'climber/sandbox',
        organizationName: 'climber',
        applicationName: 'sandbox',
      },
    })
    for (const { body } of [changed, made, org])
      expect(JSON.stringify(body)).not.toMatch(/"client_secret"|"credentials"|"token"/)
    const me = (await target().do(climber, 'GET', '/management/me')).body
    expect(Object.keys(me.user.organizations)).toEqual(['climber'])
    for (const path of ['/management/orgs', '/management/orgs/test', '/test/shop/users'])
      expect([path, (await target().do(climber, 'GET', path)).status]).toEqual([path, 401])
    expect((await target().do(climber, 'GET', '/climber/sandbox/users')).status).toBe(200)
  })

  it('attack 43: activities and devices tell and give nothing of their people', async () => {
    const stranger = await newAdmin('stranger')
    const ann = await target().user('/test/shop', 'ann', 'get,put,post,delete:/users/me/**')
    const bob = await target().user('/test/shop', 'bob', 'get,put,post,delete:/users/me/**')
    await target().admins('PUT', '/users/ann', { email: 'ann@secret.test', ssn: '123-45' })
    await target().admins('POST', '/groups', { path: 'readers' })
    await target().admins('POST', '/groups/readers/permissions', { permission: 'get:/groups/readers/**' })
    for (const name of ['ann', 'bob']) await target().admins('POST', `/groups/readers/users/${name}`)

    const posted = await target().do(ann, 'POST', '/test/shop/users/me/activities', {
      body: { verb: 'post', content: 'hello', actor: { displayName: 'Ann' } },
    })
    const { uuid } = posted.body.entities[0]
    await target().admins('POST', `/groups/readers/activities/${uuid}`)
    const read = await target().do(bob, 'GET', '/test/shop/groups/readers/activities')
    expect(read.body.entities).toMatchObject([{ content: 'hello', actor: { displayName: 'Ann' } }])
    expect(JSON.stringify([posted.body, read.body])).not.toMatch(/secret\.test|123-45/)
    for (const path of ['users/ann', 'users/ann/activities', 'users/ann/feed'])
      expect([path, (await target().do(bob, 'GET', `/test/shop/${path}`)).status]).toEqual([path, 401])

    const feed = await target().do(target().admin, 'GET', '/management/orgs/test/feed')
    for (const { actor } of feed.body.entities)
      expect(Object.keys(actor).sort()).toEqual(['displayName', 'entityType', 'objectType', 'uuid'])
    for (const path of [
      '/management/orgs/test/feed',
      `/management/users/${target().server.owner.username}/feed`,
    ])
      expect((await target().do(stranger, 'GET', path)).status).toBe(401)

    await target().do(ann, 'POST', '/test/shop/users/me/devices', {
      body: { name: 'phone', token: 'ann-token' },
    })
    const device = (await target().admins('GET', '/devices/phone')).entities[0].uuid
    await target().admins('POST', `/devices/${device}/receipts`, { payload: 'for ann' })
    for (const [method, path] of [
      ['GET', '/devices/phone'],
      ['GET', `/devices/${device}/receipts`],
      ['GET', `/users/ann/devices/${device}`],
      ['GET', `/users/ann/devices/${device}/receipts`],
      ['GET', `/users/me/devices/${device}/receipts`],
      ['POST', `/users/me/devices/${device}`],
      ['POST', '/users/me/devices/phone'],
      ['PUT', `/users/me/devices/${device}`],
      ['PUT', '/users/me/devices/phone'],
      ['DELETE', `/users/ann/devices/${device}`],
    ] as const) {
      const { status, body } = await target().do(bob, method, `/test/shop${path}`, {
        body: method === 'GET' ? undefined : { token: 'bob-token' },
      })
      expect([
        method,
        path,
        [400, 401, 404].includes(status),
        JSON.stringify(body).includes('ann-token'),
      ]).toEqual([...[method, path, true, false]])
    }
    expect((await target().admins('GET', '/users/ann/devices')).entities).toMatchObject([
      { uuid: device, token: 'ann-token' },
    ])
    expect((await target().admins('GET', '/users/bob/devices')).entities).toEqual([])
    expect(
      (await target().do(ann, 'GET', `/test/shop/users/me/devices/${device}/receipts`)).body.entities,
    ).toMatchObject([{ payload: 'for ann' }])
  })
})
