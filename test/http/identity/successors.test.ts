import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer } from '../../support/application.js'

describe.each(DATABASES)('a user who is made under the uuid of a deleted one on %s', (database) => {
  const server = sharedServer(database)

  it('does not inherit tokens, be they revoked or not', async () => {
    const app = await server.application()
    const ann = await app.signedUp('ann')
    expect((await ann.get('/users/me')).status).toBe(200)
    const { body } = await app.post('/token', { grant_type: 'password', username: 'ann', password: PASSWORD })
    await app.admin.put('/users/ann/revoketokens')
    const kept = app.as(
      (await app.post('/token', { grant_type: 'password', username: 'ann', password: PASSWORD })).body
        .access_token,
    )
    expect((await kept.get('/users/me')).status).toBe(200)

    await app.admin.delete('/users/ann')
    await app.admin.put(`/users/${ann.uuid}`, { username: 'bob', password: PASSWORD })

    for (const old of [ann, app.as(body.access_token), kept])
      expect((await old.get('/users/me')).status).toBe(401)
    const { body: fresh } = await app.post('/token', {
      grant_type: 'password',
      username: 'bob',
      password: PASSWORD,
    })
    expect((await app.as(fresh.access_token).get('/users/me')).body.entities).toMatchObject([
      { uuid: ann.uuid, username: 'bob' },
    ])
  })
})
