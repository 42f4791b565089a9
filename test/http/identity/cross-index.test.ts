import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer, TIME, UUID } from '../../support/application.js'

// Every endpoint of Usergrid's API reference that is about identity, with the keys of the whole reply.

const ENTITY = ['uuid', 'type', 'created', 'modified', 'metadata']
const USER = [...ENTITY, 'username', 'activated']
const MAILED = [...USER, 'email', 'picture']
const MIA = [...MAILED, 'city']
const GROUP = [...ENTITY, 'path']
const ROLE = [...ENTITY, 'name', 'roleName', 'title', 'inactivity']
const ADMIN = [
  ...[
    'applicationId',
    'uuid',
    'username',
    'name',
    'email',
    'activated',
    'confirmed',
    'disabled',
    'adminUser',
  ],
  ...['displayEmailAddress', 'htmldisplayEmailAddress', 'properties'],
]
const ORGANIZATION = ['uuid', 'name', 'passwordHistorySize', 'properties']
const WHOLE_ORGANIZATION = [...ORGANIZATION, 'applications', 'users']
const ACTIVITY = [
  'uuid',
  'type',
  'created',
  'modified',
  'verb',
  'category',
  'published',
  'title',
  'actor',
  'object',
]

const TIMES = ['timestamp', 'duration']
const MANAGED = ['action', ...TIMES]
const IN_APP = [
  'action',
  'application',
  'params',
  'uri',
  'entities',
  'organization',
  'applicationName',
  ...TIMES,
]
const ENTITIES = [...IN_APP, 'path']

interface World {
  /** `/organization/shop`, an application that is closed to guests. */
  app: string
  /** `/management/orgs/organization` */
  org: string
  organization: string
  owner: { uuid: string; username: string; email: string }
  adminToken: string
  userToken: string
  clientId: string
  clientSecret: string
}

interface Row {
  endpoint: string
  path: (world: World) => string
  body?: unknown | ((world: World) => unknown)
  /** What the owner posts before: path and body. */
  given?: (world: World) => readonly (readonly [path: string, body?: object])[]
  /** Without credentials, or with those of an application's user. The organization's owner asks otherwise. */
  as?: 'guest' | 'user'
  /** Keys of the reply, and of what is in it by path; a page of HTML where there are none. */
  keys?: Record<string, readonly string[]>
  /** 200 unless said otherwise. */
  status?: number
  reply?: (world: World) => unknown
}

const form = (fields: Record<string, string>) => new URLSearchParams(fields)

const ROWS: Row[] = [
  // Access-Tokens
  {
    endpoint: 'POST /management/token',
    path: () => '/management/token',
    body: ({ owner }: World) => ({ grant_type: 'password', username: owner.username, password: PASSWORD }),
    as: 'guest',
    keys: {
      '': ['access_token', 'expires_in', 'passwordChanged', 'user'],
      user: [...ADMIN, 'organizations'],
    },
    reply: ({ organization, owner }) => ({
      expires_in: 604_800,
      user: {
        ...{ username: owner.username, adminUser: true, activated: true },
        organizations: {
          [organization]: { name: organization, applications: { [`${organization}/shop`]: UUID } },
        },
      },
    }),
  },
  {
    endpoint: 'POST /{orgId}/{appId}/token',
    path: ({ app }) => `${app}/token`,
    body: { grant_type: 'password', username: 'mia', password: PASSWORD },
    as: 'guest',
    keys: { '': ['access_token', 'expires_in', 'user'], user: MIA.filter((key) => key !== 'metadata') },
    reply: () => ({ expires_in: 604_800, user: { type: 'user', username: 'mia' } }),
  },
  // Admin-Users
  {
    endpoint: 'POST /management/orgs/{orgId}/users',
    path: ({ org }) => `${org}/users`,
    body: ({ organization }: World) => ({
      email: `new@${organization}.test`,
      username: `new-${organization}`,
    }),
    keys: { '': [...MANAGED, 'data'], data: ['user'], 'data.user': ADMIN },
    reply: ({ organization }) => ({
      action: 'create user',
      data: { user: { username: `new-${organization}` } },
    }),
  },
  {
    endpoint: 'GET /management/orgs/{orgId}/users',
    path: ({ org }) => `${org}/users`,
    keys: { '': [...MANAGED, 'data'], 'data.0': ADMIN },
    reply: ({ owner }) => ({
      action: 'get organization users',
      data: expect.arrayContaining([expect.objectContaining({ uuid: owner.uuid })]),
    }),
  },
  {
    endpoint: 'PUT /management/orgs/{orgId}/users/{userId}',
    given: ({ organization }) => [['/management/users', { email: `put@${organization}.test` }]],
    path: ({ org, organization }) => `${org}/users/put@${organization}.test`,
    body: {},
    keys: { '': [...MANAGED, 'data'], 'data.user': ADMIN },
    reply: () => ({ action: 'add user to organization' }),
  },
  {
    endpoint: 'DELETE /management/orgs/{orgId}/users/{userId}',
    given: ({ org, organization }) => [[`${org}/users`, { email: `gone@${organization}.test` }]],
    path: ({ org, organization }) => `${org}/users/gone@${organization}.test`,
    keys: { '': [...MANAGED, 'data'], data: ['user'], 'data.user': ADMIN },
    reply: () => ({ action: 'remove user from organization' }),
  },
  {
    endpoint: 'POST /management/users',
    path: () => '/management/users',
    body: ({ organization }: World) => form({ email: `form@${organization}.test`, password: PASSWORD }),
    as: 'guest',
    keys: { '': [...MANAGED, 'data'], data: ['user'], 'data.user': ADMIN },
    reply: ({ organization }) => ({
      action: 'create user',
      data: { user: { username: `form@${organization}.test`, adminUser: true } },
    }),
  },
  { endpoint: 'GET /management/users/resetpw', path: () => '/management/users/resetpw', as: 'guest' },
  {
    endpoint: 'POST /management/users/resetpw',
    path: () => '/management/users/resetpw',
    body: form({ email: 'nobody@x.test' }),
    as: 'guest',
  },
  {
    endpoint: 'GET /management/users/{userId}',
    path: ({ owner }) => `/management/users/${owner.email}`,
    keys: {
      '': [...MANAGED, 'status', 'data'],
      data: [...ADMIN, 'token', 'organizations'],
    },
    reply: ({ adminToken, organization }) => ({
      ...{ action: 'get admin user', status: 'ok' },
      data: {
        ...{ adminUser: true, token: adminToken },
        organizations: { [organization]: { name: organization, uuid: UUID, applications: {}, users: {} } },
      },
    }),
  },
  {
    endpoint: 'PUT /management/users/{userId}',
    path: ({ owner }) => `/management/users/${owner.uuid}`,
    body: { name: 'Ada', phone: '555' },
    keys: { '': [...MANAGED, 'data'], data: ADMIN },
    reply: () => ({ action: 'update user info', data: { name: 'Ada', properties: { phone: '555' } } }),
  },
  {
    endpoint: 'GET /management/users/{userId}/activate',
    path: ({ owner }) => `/management/users/${owner.uuid}/activate?token=x&confirm_email=true`,
    as: 'guest',
    status: 400,
  },
  {
    endpoint: 'PUT /management/users/{userId}/password',
    path: ({ owner }) => `/management/users/${owner.username}/password`,
    body: { password: PASSWORD, newpassword: PASSWORD },
    keys: { '': MANAGED },
    reply: () => ({ action: 'set user password' }),
  },
  {
    endpoint: 'GET /management/users/{userId}/reactivate',
    path: () => '/management/users/nobody/reactivate',
    as: 'guest',
    keys: { '': MANAGED },
    reply: () => ({ action: 'reactivate user' }),
  },
  // App-Users
  {
    endpoint: 'POST /{orgId}/{appId}/users',
    path: ({ app }) => `${app}/users`,
    body: { username: 'ben', email: 'ben@x.test', name: 'Ben', password: PASSWORD },
    as: 'guest',
    keys: {
      '': ENTITIES,
      'entities.0': [...MAILED, 'name'],
      'entities.0.metadata': ['path', 'size', 'sets', 'collections'],
      'entities.0.metadata.sets': ['rolenames', 'permissions'],
      'entities.0.metadata.collections': [
        ...['activities', 'devices', 'feed', 'groups', 'roles', 'following', 'followers'],
      ],
    },
    reply: () => ({ action: 'post', path: '/users', entities: [{ type: 'user', activated: true }] }),
  },
  {
    endpoint: 'GET /{orgId}/{appId}/users',
    path: ({ app }) => `${app}/users?ql=select * where username='mia' or email='x'`,
    keys: { '': [...ENTITIES, 'count'], 'entities.0': MIA },
    reply: () => ({ action: 'get', path: '/users', count: 1, params: { ql: [expect.any(String)] } }),
  },
  {
    endpoint: 'GET /{orgId}/{appId}/users/{userId}',
    path: ({ app }) => `${app}/users/me`,
    as: 'user',
    keys: { '': ENTITIES, 'entities.0': MIA },
    reply: () => ({ entities: [{ username: 'mia' }] }),
  },
  {
    endpoint: 'PUT /{orgId}/{appId}/users/{userId}',
    path: ({ app }) => `${app}/users/mia@x.test`,
    body: { city: 'Oslo' },
    as: 'user',
    keys: { '': ENTITIES, 'entities.0': MIA },
    reply: () => ({ action: 'put', entities: [{ city: 'Oslo' }] }),
  },
  {
    endpoint: 'POST /{orgId}/{appId}/users/{user}/password',
    given: ({ app }) => [[`${app}/users`, { username: 'cy', password: PASSWORD }]],
    path: ({ app }) => `${app}/users/cy/password`,
    body: { oldpassword: PASSWORD, newpassword: 'battery staple' },
    as: 'guest',
    keys: { '': IN_APP.filter((key) => key !== 'entities') },
    reply: () => ({ action: 'set user password' }),
  },
  {
    endpoint: 'GET /{orgId}/{appId}/users/{userId}/{relation}',
    given: ({ app }) => [[`${app}/users/mia/roles/clerk`]],
    path: ({ app }) => `${app}/users/mia/roles`,
    keys: { '': ENTITIES, 'entities.0': ROLE },
  },
  {
    endpoint: 'DELETE /{orgId}/{appId}/users/{userId}',
    given: ({ app }) => [[`${app}/users`, { username: 'deb' }]],
    path: ({ app }) => `${app}/users/deb`,
    keys: { '': ENTITIES, 'entities.0': USER },
    reply: () => ({ action: 'delete', entities: [{ username: 'deb' }] }),
  },
  // Groups
  {
    endpoint: 'POST /{orgId}/{appId}/groups',
    path: ({ app }) => `${app}/groups`,
    body: { path: 'eng/web', title: 'Web team' },
    keys: {
      '': ENTITIES,
      'entities.0': [...GROUP, 'title'],
      'entities.0.metadata': ['path', 'size', 'sets', 'collections'],
      'entities.0.metadata.sets': ['rolenames', 'permissions'],
      'entities.0.metadata.collections': ['activities', 'feed', 'roles', 'users'],
    },
    reply: () => ({ path: '/groups', entities: [{ type: 'group', path: 'eng/web', created: TIME }] }),
  },
  {
    endpoint: 'POST /{orgId}/{appId}/groups/{groupId}/activities',
    path: ({ app }) => `${app}/groups/staff/web/activities`,
    body: { verb: 'post', content: 'hello', actor: { displayName: 'x' } },
    keys: { '': ENTITIES, 'entities.0': [...ENTITY, 'verb', 'content', 'actor'] },
    reply: () => ({ entities: [{ type: 'activity', verb: 'post' }] }),
  },
  {
    endpoint: 'POST /{orgId}/{appId}/groups/{groupId}/users/{userId}',
    path: ({ app }) => `${app}/groups/staff/web/users/mia`,
    keys: { '': ENTITIES, 'entities.0': MIA },
    reply: () => ({ action: 'post', entities: [{ type: 'user', username: 'mia' }] }),
  },
  {
    endpoint: 'DELETE /{orgId}/{appId}/groups/{groupId}/users/{userId}',
    given: ({ app }) => [[`${app}/groups/staff/web/users/mia`]],
    path: ({ app }) => `${app}/groups/staff/web/users/mia`,
    keys: { '': ENTITIES, 'entities.0': MIA },
    reply: () => ({ action: 'delete', entities: [{ type: 'user', username: 'mia' }] }),
  },
  {
    endpoint: 'GET /{org_Id}/{app_Id}/groups/{groupId}',
    path: ({ app }) => `${app}/group/staff/web`,
    keys: { '': ENTITIES, 'entities.0': [...GROUP, 'title'] },
    reply: () => ({ action: 'get', entities: [{ path: 'staff/web' }] }),
  },
  {
    endpoint: 'PUT /{org_Id}/{app_Id}/groups/{groupId}',
    path: ({ app }) => `${app}/groups/sales`,
    body: {},
    keys: { '': ENTITIES, 'entities.0': GROUP },
    reply: () => ({ action: 'put', entities: [{ path: 'sales' }] }),
  },
  // Organizations-Applications
  {
    endpoint: 'POST /management/orgs',
    path: () => '/management/orgs',
    body: ({ organization }: World) => ({
      organization: `${organization}-b`,
      username: `b-${organization}`,
      email: `b@${organization}.test`,
      name: 'B',
      password: PASSWORD,
      properties: { colour: 'red' },
      phone: '555',
    }),
    as: 'guest',
    keys: {
      '': [...MANAGED, 'status', 'data'],
      data: ['owner', 'organization'],
      'data.owner': ADMIN,
      'data.organization': ORGANIZATION,
    },
    reply: () => ({
      ...{ action: 'new organization', status: 'ok' },
      data: {
        owner: { activated: true, properties: { phone: '555' } },
        organization: { passwordHistorySize: 0, properties: { colour: 'red' } },
      },
    }),
  },
  {
    endpoint: 'GET /management/orgs/{orgId}',
    path: ({ org }) => org,
    keys: { '': ['organization', ...TIMES], organization: WHOLE_ORGANIZATION },
    reply: ({ organization, owner }) => ({
      organization: {
        name: organization,
        applications: { [`${organization}/sandbox`]: UUID },
        users: { [owner.username]: { uuid: owner.uuid, adminUser: true } },
      },
    }),
  },
  {
    endpoint: 'GET /management/orgs/{orgId}/activate',
    path: ({ org }) => `${org}/activate?token=x`,
    as: 'guest',
    status: 400,
  },
  {
    endpoint: 'GET /management/orgs/{orgId}/apps',
    path: ({ org }) => `${org}/apps`,
    keys: { '': [...MANAGED, 'data'] },
    reply: ({ organization }) => ({
      action: 'get organization application',
      data: { [`${organization}/sandbox`]: UUID, [`${organization}/shop`]: UUID },
    }),
  },
  {
    endpoint: 'POST /management/orgs/{orgId}/apps',
    path: ({ org }) => `${org}/apps`,
    body: { name: 'Brief' },
    keys: {
      '': [...MANAGED, 'application', 'params', 'uri', 'data', 'entities', 'organization'],
      'entities.0': [...[...ENTITY, 'name', 'organization', 'organizationName', 'applicationName']],
    },
    reply: ({ organization }) => ({
      ...{ action: 'new application for organization', organization },
      data: { [`${organization}/brief`]: UUID },
      entities: [
        {
          type: 'application',
          name: `${organization}/brief`,
          metadata: { collections: { roles: { count: 3 } } },
        },
      ],
    }),
  },
  {
    endpoint: 'DELETE /management/orgs/{orgId}/apps/{appId}',
    given: ({ org }) => [[`${org}/apps`, { name: 'gone' }]],
    path: ({ org }) => `${org}/apps/gone?confirm_application_identifier=gone`,
    keys: { '': [...MANAGED, 'application', 'params'] },
    reply: () => ({ action: 'delete', application: UUID }),
  },
  {
    endpoint: 'GET /management/orgs/{orgId}/apps/{appId}/credentials',
    path: ({ org }) => `${org}/apps/shop/credentials`,
    keys: { '': [...MANAGED, 'credentials'], credentials: ['client_id', 'client_secret'] },
    reply: () => ({
      action: 'get application client credentials',
      credentials: {
        client_id: expect.stringMatching(/^YXA6.{22}$/),
        client_secret: expect.stringMatching(/^YXA6.{27}$/),
      },
    }),
  },
  {
    endpoint: 'POST /management/orgs/{orgId}/apps/{appId}/credentials',
    path: ({ org }) => `${org}/apps/shop/credentials`,
    keys: { '': [...MANAGED, 'credentials'], credentials: ['client_id', 'client_secret'] },
    reply: () => ({ action: 'generate application client credentials' }),
  },
  {
    endpoint: 'GET /management/orgs/{orgId}/credentials',
    path: ({ org }) => `${org}/credentials`,
    keys: { '': [...MANAGED, 'credentials'], credentials: ['client_id', 'client_secret'] },
    reply: ({ clientId: client_id }) => ({
      action: 'get organization client credentials',
      credentials: { client_id, client_secret: expect.stringMatching(/^b3U6.{27}$/) },
    }),
  },
  {
    endpoint: 'POST /management/orgs/{orgId}/credentials',
    path: ({ org }) => `${org}/credentials`,
    keys: { '': [...MANAGED, 'credentials'], credentials: ['client_id', 'client_secret'] },
    reply: ({ clientId: client_id, clientSecret }) => ({
      action: 'generate organization client credentials',
      credentials: { client_id, client_secret: expect.not.stringMatching(clientSecret) },
    }),
  },
  {
    endpoint: 'GET /management/orgs/{orgId}/feed',
    path: ({ org }) => `${org}/feed`,
    keys: {
      '': [...MANAGED, 'status', 'entities'],
      'entities.0': ACTIVITY,
      'entities.0.actor': ['displayName', 'objectType', 'entityType', 'uuid'],
      'entities.0.object': ['displayName', 'objectType', 'entityType', 'uuid'],
    },
    reply: () => ({ action: 'get organization feed', status: 'ok' }),
  },
  {
    endpoint: 'GET /management/orgs/{orgId}/reactivate',
    path: ({ org }) => `${org}/reactivate`,
    keys: { '': MANAGED },
    reply: () => ({ action: 'reactivate organization' }),
  },
  {
    endpoint: 'GET /management/users/{userId}/feed',
    path: ({ owner }) => `/management/users/${owner.username}/feed`,
    keys: { '': [...MANAGED, 'status', 'entities'], 'entities.0': ACTIVITY },
    reply: () => ({ action: 'get admin user feed', status: 'ok' }),
  },
  // Permissions-Roles
  {
    endpoint: 'GET /{orgId}/{appId}/roles',
    path: ({ app }) => `${app}/roles`,
    keys: {
      '': [...ENTITIES, 'count'],
      'entities.0': ROLE,
      'entities.0.metadata': ['path', 'size', 'sets', 'collections'],
      'entities.0.metadata.sets': ['permissions'],
      'entities.0.metadata.collections': ['groups', 'users'],
    },
    reply: () => ({
      path: '/roles',
      entities: expect.arrayContaining(
        ['admin', 'default', 'guest'].map((name) => expect.objectContaining({ type: 'role', name })),
      ),
    }),
  },
  {
    endpoint: 'POST /{orgId}/{appId}/roles',
    path: ({ app }) => `${app}/roles`,
    body: { name: 'Manager' },
    keys: { '': ENTITIES, 'entities.0': ROLE },
    reply: () => ({ entities: [{ name: 'Manager', roleName: 'manager', title: 'Manager', inactivity: 0 }] }),
  },
  {
    endpoint: 'POST /{orgId}/{applicationId}/roles/{roleId}/permissions',
    path: ({ app }) => `${app}/roles/clerk/permissions`,
    body: { permission: 'get:/new' },
    keys: { '': [...IN_APP, 'data'] },
    reply: () => ({
      action: 'post',
      data: expect.arrayContaining(['get:/books/**', 'get:/new']),
      entities: [],
    }),
  },
  {
    endpoint: 'GET /{orgId}/{applicationId}/roles/{roleId}/permissions',
    path: ({ app }) => `${app}/roles/clerk/permissions`,
    keys: { '': [...IN_APP, 'data'] },
    reply: () => ({ action: 'get', data: expect.arrayContaining(['get:/books/**']) }),
  },
  {
    endpoint: 'DELETE /{orgId}/{appId}/roles/{roleId}/permissions',
    given: ({ app }) => [[`${app}/roles/clerk/permissions`, { permission: 'get:/gone' }]],
    path: ({ app }) => `${app}/roles/clerk/permissions?permission=get:/gone`,
    keys: { '': [...IN_APP, 'data'] },
    reply: () => ({
      action: 'delete',
      data: expect.not.arrayContaining(['get:/gone']),
      params: { permission: ['get:/gone'] },
    }),
  },
  {
    endpoint: 'POST /{orgId}/{appId}/roles/{roleId}/users/{userId}',
    path: ({ app }) => `${app}/roles/clerk/users/mia`,
    keys: { '': ENTITIES, 'entities.0': MIA },
    reply: () => ({ action: 'post', entities: [{ username: 'mia' }] }),
  },
  {
    endpoint: 'GET /{orgId}/{appId}/roles/{roleId}/users',
    given: ({ app }) => [[`${app}/roles/clerk/users/mia`]],
    path: ({ app }) => `${app}/roles/clerk/users`,
    keys: { '': ENTITIES, 'entities.0': MIA },
    reply: () => ({ action: 'get', entities: [{ username: 'mia' }] }),
  },
  {
    endpoint: 'DELETE /{orgId}/{appId}/roles/{roleId}/users/{userId}',
    given: ({ app }) => [[`${app}/roles/clerk/users/mia`]],
    path: ({ app }) => `${app}/roles/clerk/users/mia`,
    keys: { '': ENTITIES, 'entities.0': MIA },
    reply: () => ({ action: 'delete', entities: [{ username: 'mia' }] }),
  },
  {
    endpoint: 'DELETE /{orgId}/{appId}/roles/{rolename}',
    given: ({ app }) => [[`${app}/roles`, { name: 'Gone' }]],
    path: ({ app }) => `${app}/roles/GONE`,
    keys: { '': ENTITIES, 'entities.0': ROLE },
    reply: () => ({ action: 'delete', entities: [{ name: 'Gone' }] }),
  },
]

const MODES = [
  ['with our defaults', undefined, /^eyJ/],
  ["with Usergrid's", 'usergrid', /^YWMt.{59}$/],
] as const

describe.each(MODES)('the endpoints of the reference, %s', (_, compatibility, token) => {
  const server = sharedServer('sqlite', {
    compatibility,
    mailer: { send: () => Promise.resolve() },
    publicUrl: 'https://entigrid.test',
  })
  let world: World

  beforeAll(async () => {
    const app = await server.application()
    const shop = await app.newApplication('shop')
    const mia = await app.signedUp('mia', { email: 'mia@x.test', city: 'Rome' }, shop.path)
    await shop.admin.post('/groups', { path: 'staff/web', title: 'Web team' })
    await shop.admin.post('/roles', { name: 'clerk' })
    await shop.admin.post('/roles/clerk/permissions', { permission: 'get:/books/**' })
    const { credentials } = (await app.management.get(`/management/orgs/${app.organization}/credentials`))
      .body
    world = {
      app: shop.path,
      org: `/management/orgs/${app.organization}`,
      organization: app.organization,
      owner: app.owner,
      adminToken: app.adminToken,
      userToken: mia.token,
      clientId: credentials.client_id,
      clientSecret: credentials.client_secret,
    }
  })

  it.each(ROWS)('$endpoint', async ({ endpoint, given, path, body, as, keys, status = 200, reply }) => {
    for (const [at, before] of given?.(world) ?? [])
      await fetch(server.url + at, {
        method: 'POST',
        headers: { authorization: `Bearer ${world.adminToken}` },
        ...(before && { body: JSON.stringify(before) }),
      })
    const credential = as === 'guest' ? undefined : as === 'user' ? world.userToken : world.adminToken
    const sent: unknown = typeof body === 'function' ? body(world) : body

    const response = await fetch(server.url + path(world), {
      method: endpoint.slice(0, endpoint.indexOf(' ')),
      headers: credential === undefined ? {} : { authorization: `Bearer ${credential}` },
      ...(sent === undefined ? {} : { body: sent instanceof URLSearchParams ? sent : JSON.stringify(sent) }),
    })

    const text = await response.text()
    expect([response.status, text.includes('$argon2')]).toEqual([status, false])
    if (keys === undefined) {
      expect(response.headers.get('content-type')).toMatch('text/html')
      expect(text).toMatch(/<html lang=/)
      return
    }
    const shown = JSON.parse(text)
    if ('access_token' in shown) expect(shown.access_token).toMatch(token)
    if ('access_token' in shown || 'credentials' in shown)
      expect([response.headers.get('cache-control'), response.headers.get('referrer-policy')]).toEqual([
        'no-store',
        'no-referrer',
      ])
    for (const [at, names] of Object.entries(keys))
      expect([at, Object.keys(valueAt(shown, at)).sort()]).toEqual([at, [...names].sort()])
    if (reply !== undefined) expect(shown).toMatchObject(reply(world) as object)
  })

  it.each([
    ...['activities', 'devices', 'feed', 'following', 'followers', 'groups', 'roles'],
    ...['connections', 'connecting', 'connecting/likes', 'likes'],
  ])('GET /{orgId}/{appId}/users/{userId}/%s is a list', async (relation) => {
    const headers = { authorization: `Bearer ${world.userToken}` }

    const response = await fetch(`${server.url}${world.app}/users/me/${relation}`, { headers })

    const shown = (await response.json()) as object
    expect([response.status, Object.keys(shown).sort()]).toEqual([200, [...ENTITIES].sort()])
  })

  it('never repeat a secret of the query', async () => {
    const names = [
      ...[
        'access_token',
        'token',
        'client_id',
        'client_secret',
        'username',
        'password',
        'oldpassword',
        'newpassword',
      ],
      ...['pin', 'fb_access_token', 'fq_access_token', 'ping_access_token'],
    ]
    const secrets = names.map((name) => `${name}=${name === 'access_token' ? world.adminToken : 'hush'}`)

    const response = await fetch(`${server.url}${world.app}/users?limit=1&${secrets.join('&')}`)

    const text = await response.text()
    expect([response.status, JSON.parse(text).params]).toEqual([200, { limit: ['1'] }])
    expect(text).not.toMatch(/hush/)
    expect(text).not.toContain(world.adminToken)
  })
})

it('the documentation has them all', () => {
  const page = readFileSync(new URL('../../../docs/usergrid-compatibility.md', import.meta.url), 'utf8')
  const told = new Set([...page.matchAll(/^\| `([A-Z]+ \/[^`]*)` /gm)].map(([, endpoint]) => endpoint))

  expect(ROWS.map(({ endpoint }) => endpoint).filter((endpoint) => !told.has(endpoint))).toEqual([])
})

const valueAt = (body: ReturnType<typeof JSON.parse>, at: string): object =>
  at === '' ? body : at.split('.').reduce((value, key) => value[key], body)

describe('errors', () => {
  const server = sharedServer('sqlite')
  const ERROR = ['error', 'error_description', 'exception', 'code', 'message', ...TIMES]

  it.each([
    ['a missing name', 'POST', '/management/orgs', { email: 'x@x.test' }, 400, 'illegal_argument'],
    ['no right', 'GET', '/management/orgs/nobody', undefined, 401, 'unauthorized'],
    ['nothing there', 'GET', '/management/nothing', undefined, 404, 'not_found'],
    ['no application', 'GET', '/nobody/nothing/users', undefined, 404, 'organization_application_not_found'],
    ['no such method', 'DELETE', '/management/token', undefined, 405, 'not_allowed'],
  ])('of %s have one form', async (_, method, path, body, status, error) => {
    const response = await fetch(server.url + path, { method, ...(body && { body: JSON.stringify(body) }) })

    const { fields, ...shown } = (await response.json()) as Record<string, unknown>
    expect([response.status, shown['error'], shown['code']]).toEqual([status, error, status])
    expect(Object.keys(shown).sort()).toEqual([...ERROR].sort())
    expect(fields === undefined).toBe(error !== 'illegal_argument')
  })
})
