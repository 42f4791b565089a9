import { DATABASES, StatementCounter } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { unchangedPrototypes } from './prototypes.js'
import { attacked, GUEST } from './ways.js'

const KEYS = ['__proto__', 'constructor', 'prototype']

/** `{"key":{"key":...{"polluted":true}}}` */
const nested = (key: string, depth: number): string =>
  depth === 0 ? '{"polluted":true}' : `{${JSON.stringify(key)}:${nested(key, depth - 1)}}`

describe.each(DATABASES)('attacks in bodies, on %s', (database) => {
  unchangedPrototypes()
  const counter = new StatementCounter()
  const target = attacked(database, counter.wrap)

  it('attack 14: nobody gives himself what the engine or an administrator decides', async () => {
    const user = await target().user('/test/shop', 'climber', 'get,post,put:/**')
    await target().admins('POST', '/groups', { path: 'bosses' })
    const forged = {
      uuid: '4b9d2c10-6f1b-41ee-8c99-0242ac120009',
      type: 'role',
      created: 1,
      modified: 1,
      metadata: { path: '/roles/guest', sets: { permissions: 'x' }, connections: { owns: 'x' } },
      membership: 'x',
      connection: 'x',
      Metadata: { a: 1 },
      METADATA: { a: 1 },
    }
    const decided = {
      activated: false,
      confirmed: true,
      disabled: true,
      deactivated: 1,
      credentials: { password: 'x' },
      rolenames: ['admin'],
      permissions: ['/**'],
      roles: ['admin'],
      groups: ['bosses'],
      devices: ['x'],
      activities: ['x'],
      feed: ['x'],
      following: ['x'],
      followers: ['x'],
      ROLES: ['admin'],
      Permissions: ['/**'],
      password: 'a password of mine',
      pin: '1234',
      oldpassword: 'x',
      newpassword: 'x',
    }
    const SYSTEM = ['uuid', 'type', 'created', 'modified', 'metadata', 'membership', 'connection']

    for (const [name, way] of target().ways) {
      const at = name.replaceAll(' ', '')
      const forms: [method: string, path: string, body: object][] = [
        ['POST', '/test/shop/users', { ...forged, ...decided, username: `a${at}` }],
        ['PUT', '/test/shop/users/me', { ...forged, ...decided }],
        ['PATCH', '/test/shop/users/me', { ...forged, ...decided, metadata: { path: { a: 1 } } }],
        [
          'PUT',
          `/test/shop/users/4b9d2c10-6f1b-41ee-8c99-${at
            .padEnd(12, '0')
            .slice(0, 12)
            .replace(/[^0-9a-f]/g, '1')}`,
          { ...forged, ...decided, username: `b${at}` },
        ],
        [
          'PATCH',
          '/test/shop/users/me',
          Object.fromEntries(
            [...Object.keys(decided), ...Object.keys(forged)].map((key) => [key, { $add: ['x'] }]),
          ),
        ],
        [
          'PATCH',
          '/test/shop/users/me',
          Object.fromEntries(
            ['created', 'modified', 'uuid', 'username', 'activated'].map((key) => [key, { $unset: true }]),
          ),
        ],
        ['POST', '/test/shop/widgets', { ...forged, name: at, owner: 'me' }],
        ['PUT', `/test/shop/widgets/${at}`, { ...forged, $inc: 1 }],
        ['POST', '/test/shop/devices', { ...forged, name: `d${at}` }],
        ['POST', '/test/shop/sessions', { ...forged, name: at }],
      ]
      for (const [method, path, body] of forms) {
        const answer = (await way(user, method, path, { body }))!
        const [entity] = answer.body.entities ?? []
        if (answer.status !== 200) {
          expect([name, method, path, [400, 401].includes(answer.status)]).toEqual([name, method, path, true])
          continue
        }
        const isUser = path.includes('/users')
        expect([
          name,
          path,
          entity.uuid === forged.uuid,
          entity.type === 'role',
          JSON.stringify(entity).includes('password'),
        ]).toEqual([name, path, false, false, false])
        expect([
          name,
          path,
          entity.metadata?.connections?.owns,
          entity.membership,
          entity.Metadata,
          entity.METADATA,
        ]).toEqual([name, path, undefined, undefined, undefined, undefined])
        // Whoever chooses the uuid restores something, and chooses its times, too.
        expect([name, path, entity.modified > 1]).toEqual([name, path, !path.includes('4b9d2c10')])
        const kept = Object.keys(decided).filter(
          (key) => key in entity && !(key === 'activated' && entity.activated === true),
        )
        if (isUser) expect([name, path, kept]).toEqual([name, path, []])
        if (method === 'POST') expect(entity.created).toBeGreaterThan(1)
        for (const key of SYSTEM.slice(0, 4))
          expect([name, path, key, typeof entity[key]]).toEqual([
            name,
            path,
            key,
            key === 'uuid' || key === 'type' ? 'string' : 'number',
          ])
      }
    }
    expect((await target().admins('GET', '/users/climber/permissions')).data).toEqual(['get,post,put:/**'])
    for (const word of ['roles', 'groups', 'devices', 'following'])
      expect((await target().admins('GET', `/users/climber/${word}`)).entities).toEqual([])
    expect(
      (
        await target().do(GUEST, 'POST', '/test/shop/token', {
          body: { grant_type: 'password', username: 'climber', password: 'a password of mine' },
        })
      ).status,
    ).toBe(400)
    expect((await target().do(user, 'GET', '/test/shop/users/me')).status).toBe(200)
  })

  const NAMES = [
    "a'); drop table entity; --",
    "a''b",
    'a"->>\'b',
    'a.b.c[0]',
    'a"b',
    'a`b',
    '__proto__',
    'constructor.prototype',
    'toString',
    '$1',
    '?',
    ':a',
    '@a',
    '%s',
    '🐕',
    '\\',
    '/*',
    '--',
    '\u0000',
    'k'.repeat(10_000),
  ]

  it('attack 27: names of properties never become part of a statement', async () => {
    const texts = await counter.during(async () => {
      for (const [i, name] of NAMES.entries()) {
        const path = `/test/shop/vials/n${i}`
        for (const way of ['http', 'session', 'batch']) {
          const send = target().ways.get(way)!
          const told = [way, name]
          const put = await send(target().admin, 'PUT', path, {
            body: { [name]: 1, nested: { [name]: 'x' }, list: [{ [name]: true }] },
          })
          expect([...told, put!.status]).toEqual([...told, 200])
          const inc = await send(target().admin, 'PUT', path, { body: { [name]: { $inc: 1 } } })
          expect([
            ...told,
            inc!.status,
            Object.getOwnPropertyDescriptor(inc!.body.entities[0], name)?.value,
          ]).toEqual([...told, 200, 2])
          const patch = await send(target().admin, 'PATCH', path, {
            body: { nested: { [name]: { $unset: true } }, [`${name}2`]: { $add: ['x'] } },
          })
          expect([...told, patch!.status, patch!.body.entities[0].nested]).toEqual([...told, 200, {}])
        }
        const ask = async (ql: string) =>
          target().do(target().admin, 'GET', '/test/shop/vials', {
            search: `ql=${encodeURIComponent(ql)}&count=total`,
          })
        for (const ql of [
          `${name} = 1`,
          `order by ${name} desc`,
          `select ${name}, {${name}: x}`,
          `${name} contains 'a'`,
          `${name} within 1 of 1,1`,
          `not ${name} > 'x'`,
          `name = '${name}'`,
          `nested.${name} = 'x'`,
        ])
          expect([ql.slice(0, 60), [200, 400, 414].includes((await ask(ql)).status)]).toEqual([
            ql.slice(0, 60),
            true,
          ])
        for (const settings of [
          { indexes: [[name, '-x']] },
          { fields: [name] },
          { indexes: [[`-${name}`]] },
        ]) {
          const { status } = await target().do(target().admin, 'POST', '/test/shop/vials/_settings', {
            body: settings,
          })
          expect([name.slice(0, 60), [200, 400].includes(status)]).toEqual([name.slice(0, 60), true])
        }
        await target().do(target().admin, 'DELETE', '/test/shop/vials/_settings')
        const path2 = encodeURIComponent(name)
        for (const [method, suffix] of [
          ['POST', `/vials/n${i}/${path2}/vials/n${i}`],
          ['GET', `/vials/n${i}/${path2}`],
          ['GET', `/vials/${path2}`],
          ['GET', `/${path2}`],
          ['DELETE', `/vials/n${i}/${path2}/vials/n${i}`],
        ] as const)
          expect([
            method,
            suffix.slice(0, 60),
            (await target().do(target().admin, method, `/test/shop${suffix}`)).status < 500,
          ]).toEqual([method, suffix.slice(0, 60), true])
      }
    })

    expect(texts.length).toBeGreaterThan(500)
    // What is ours in statements: words, placeholders, and a few literals of one kind each.
    const smuggled = NAMES.filter((name) => !['?', '$1', '--', ':a', '\\'].includes(name)).filter((name) =>
      texts.some((text) => text.includes(name)),
    )
    expect(smuggled).toEqual([])
    const shapes = new Set(
      texts.map((text) =>
        text
          .replace(/\$\d+(?:::\w+(?:\[\])?)?|\?/g, 'V')
          .replace(/\s+/g, ' ')
          .replace(/(?:\(?V(?:, V)*\)?(?:, )?)+/g, 'V'),
      ),
    )
    // The same statements for every name: were one of them in a text, there would be one text for each.
    expect(shapes.size).toBeLessThan(400)
    for (const text of shapes) expect(text).toMatch(/^[\w\s,.*()=<>!&|;:~[\]'"+%@-]*$/)
    expect((await target().admins('GET', '/vials')).entities).toHaveLength(10)
  })

  it.each(KEYS)('attack 28: %s in a body is data, at every depth and by every way', async (key) => {
    for (const [name, way] of target().ways)
      for (const depth of [1, 3, 20]) {
        const told = [name, depth]
        const text = nested(key, depth)
        const shape = JSON.stringify(JSON.parse(text)[key])
        const shapeOf = (entity: object) =>
          JSON.stringify(Object.getOwnPropertyDescriptor(entity, key)?.value)
        const created = await way(target().admin, 'POST', '/test/shop/jars', { body: text })
        expect([...told, created!.status, shapeOf(created!.body.entities[0])]).toEqual([...told, 200, shape])
        const path = `/test/shop/jars/${created!.body.entities[0].uuid}`
        const put = await way(target().admin, 'PUT', path, { body: `{"list":[${text}],"in":${text}}` })
        expect([...told, put!.status, JSON.stringify(put!.body.entities[0].list[0])]).toEqual([
          ...told,
          200,
          text,
        ])
        const patch = await way(target().admin, 'PATCH', path, {
          body: `{"in":${nested(key, depth).replace('true', '"twice"')}}`,
        })
        expect([...told, patch!.status, JSON.stringify(patch!.body.entities[0].in)]).toEqual([
          ...told,
          200,
          text.replace('true', '"twice"'),
        ])
        const unset = await way(target().admin, 'PATCH', path, {
          body: nested(key, depth - 1).replace('{"polluted":true}', `{${JSON.stringify(key)}:null}`),
        })
        expect([...told, unset!.status, ({} as { polluted?: true }).polluted]).toEqual([
          ...told,
          200,
          undefined,
        ])
      }
    for (const body of [
      nested(key, 2),
      `{"operations":[{"id":"a","method":"POST","path":"jars","body":${nested(key, 2)}},{"method":"POST","path":"jars","body":{"x":{"$ref":"a.${key}.${key}.polluted"}}}]}`,
    ])
      for (const path of [
        '/test/shop/_batch',
        '/test/shop/jars/_settings',
        '/test/shop/token',
        '/management/token',
        '/test/shop/users/me/password',
        '/test/shop/roles/guest/permissions',
      ])
        for (const method of ['POST', 'PUT'])
          expect([path, (await target().do(target().admin, method, path, { body })).status < 500]).toEqual([
            path,
            true,
          ])
    expect(({} as { polluted?: true }).polluted).toBeUndefined()
  })

  it('attack 29: words that JavaScript knows find nothing that is not there', async () => {
    const words = [
      'toString',
      'hasOwnProperty',
      'valueOf',
      'constructor',
      '__proto__',
      '__defineGetter__',
      'isPrototypeOf',
      'then',
      'length',
      'caller',
      'at',
      'size',
    ]

    for (const [name, way] of target().ways)
      for (const word of words)
        for (const [method, path] of [
          ['GET', `/users/${word}`],
          ['GET', `/jars/${word}`],
          ['DELETE', `/jars/${word}`],
          ['PATCH', `/jars/${word}`],
        ] as const) {
          const answer = await way(
            target().admin,
            method,
            `/test/shop${path}`,
            method === 'PATCH' ? { body: { a: 1 } } : {},
          )
          if (answer === null) continue
          expect([name, method, path, answer.status]).toEqual([name, method, path, 404])
        }
    for (const word of words) {
      for (const path of [
        `/management/${word}`,
        `/management/orgs/${word}`,
        `/management/orgs/test/${word}`,
        `/${word}/shop/x`,
        `/test/${word}/x`,
        `/${word}`,
        `/${word}/${word}`,
        `/test/shop/jars/_reindex/${word}`,
        `/test/shop/jars/_${word}`,
        `/test/shop/users/me/${word}/x`,
        `/test/shop/roles/${word}/permissions`,
      ])
        expect([
          path,
          [400, 404, 405].includes((await target().do(target().admin, 'GET', path)).status),
        ]).toEqual([path, true])
      const operations = [
        { id: word.replaceAll('_', 'a'), method: 'POST', path: 'jars', body: { a: 1 } },
        { method: 'POST', path: 'jars', body: { a: { $ref: `${word.replaceAll('_', 'a')}.${word}` } } },
      ]
      expect([
        word,
        (await target().do(target().admin, 'POST', '/test/shop/_batch', { body: { operations } })).body.error,
      ]).toEqual([word, 'illegal_argument'])
      const grant = await target().do(GUEST, 'POST', '/test/shop/token', {
        body: { grant_type: word, username: 'x', password: 'x' },
      })
      expect([word, [400, 401].includes(grant.status)]).toEqual([word, true])
    }
    // A word where a step needs a uuid leads nowhere.
    await target().admins('PUT', '/jars/one', {})
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      expect([
        method,
        (await target().do(target().admin, method, '/test/shop/jars/one/likes/any/_settings')).body.error,
      ]).toEqual([method, 'service_resource_not_found'])
  })
})
