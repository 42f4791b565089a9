import type { SqlDatabase } from '@entigrid/core/testing'
import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { AppClient } from '../../support/app-client.js'
import { openTestServer } from '../../support/server.js'

/** A database that can be told to close for good as soon as it has committed once more, or `commits` times. */
const closesAfterCommit = () => {
  let left = Number.POSITIVE_INFINITY
  const wrap = (database: SqlDatabase): SqlDatabase => ({
    dialect: database.dialect,
    writers: database.writers,
    read: (work) => database.read(work),
    snapshot: (work) => database.snapshot(work),
    write: async (work) => {
      const result = await database.write(work)
      if (--left === 0) await database.close()
      return result
    },
    classify: (error) => database.classify(error),
    close: () => database.close(),
  })
  return {
    wrap,
    arm: (commits = 1) => {
      left = commits
    },
  }
}

const BATCH = { operations: [{ method: 'PUT', path: 'dogs/a', body: { age: 3 } }] }

describe.each(DATABASES)('a %s that is lost right after a commit', (database) => {
  it.each([
    ['POST', '/dogs', { name: 'c' }, {}],
    ['POST', '/dogs', [{ name: 'c' }, { name: 'd' }], {}],
    ['POST', '/dogs', { name: 'c' }, { 'idempotency-key': 'one' }],
    ['PUT', '/dogs/a', { age: 3 }, {}],
    ['PATCH', '/dogs/a', { age: 3 }, {}],
    ['PUT', '/dogs?ql=age = 1', { age: 3 }, {}],
    ['DELETE', '/dogs/a', undefined, {}],
    ['DELETE', '/dogs?ql=age = 1', undefined, {}],
    ['POST', '/dogs/b/likes/dogs/a', undefined, {}],
    ['POST', '/dogs/a/likes/dogs', { name: 'c' }, {}],
    ['DELETE', '/dogs/a/likes/dogs/b', undefined, {}],
    ['POST', '/_batch', BATCH, {}],
    ['PUT', '/users/ann/password', { newpassword: 'another password' }, {}],
    ['PUT', '/users/ann/revoketokens', undefined, {}],
    ['POST', '/users/ann/deactivate', undefined, {}],
    ['POST', '/users/ann/permissions', { permission: 'get:/dogs' }, {}],
  ])('does not take back what was stored by %s %s', async (method, path, body, headers) => {
    const { wrap, arm } = closesAfterCommit()
    await using server = await openTestServer({ database, wrap })
    const app = new AppClient(server)
    await app.create('dogs', { name: 'a', age: 1 }, { name: 'b', age: 2 })
    await app.post('/dogs/a/likes/dogs/b')
    await app.post('/users', { username: 'ann', password: 'a password for ann' })

    arm()
    const reply = await app.send(method, encodeURI(path), { body, headers })

    expect([reply.status, reply.body.error_description]).toEqual([200, undefined])
    expect((await app.get('/dogs')).status).toBe(503)
  })

  it('does not take back half of making an administrator', async () => {
    const { wrap, arm } = closesAfterCommit()
    await using server = await openTestServer({ database, wrap })
    const { username, password } = server.owner
    const signIn = JSON.stringify({ grant_type: 'password', username, password })
    const token = await fetch(`${server.url}/management/token`, { method: 'POST', body: signIn })
    const { access_token } = (await token.json()) as { access_token: string }

    // The first comes to nothing: it tells that there is a password to hash.
    arm(2)
    const reply = await fetch(`${server.url}/management/orgs/${server.organization}/users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access_token}` },
      body: JSON.stringify({ username: 'bob', email: 'bob@example.test', password: 'a password for bob' }),
    })

    expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('"bob"')])
  })

  it('is 503 for who signs in, and no fault', async () => {
    const { wrap, arm } = closesAfterCommit()
    await using server = await openTestServer({ database, wrap })
    const { username, password } = server.owner

    arm()
    const signIn = JSON.stringify({ grant_type: 'password', username, password })
    const lost = await fetch(`${server.url}/management/token`, { method: 'POST', body: signIn })

    expect([lost.status, lost.headers.get('retry-after')]).toEqual([503, '1'])
  })
})
