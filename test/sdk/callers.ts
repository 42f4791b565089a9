import { AuthenticationError, NotFoundError, PermissionError } from '@entigrid/sdk'
import { describe, expect, it } from 'vitest'
import { type OpenTarget, open } from './target.js'

const ann = { username: 'ann', email: 'ann@example.org', password: 'correct horse battery' }
const secret = { username: ann.username, password: ann.password }

export const callerSuite = (name: string, openTarget: OpenTarget): void => {
  describe(`who is asking, ${name}`, () => {
    it('is the user who signed in, until signing out', async () => {
      await using app = await open(openTarget)
      const { uuid } = await app.users.create(ann)

      const signedIn = await app.client.signIn(secret)

      expect(signedIn).toMatchObject({ uuid, username: 'ann' })
      expect(signedIn).not.toHaveProperty('password')
      expect(await app.client.me()).toMatchObject({ uuid, email: 'ann@example.org' })
      expect(app.client.tokenExpiresAt).toBeGreaterThan(Date.now())
      await app.client.signOut()
      await expect(app.client.me()).rejects.toBeInstanceOf(NotFoundError)
    })

    it('is known to one client alone, or to another that is given the token', async () => {
      await using app = await open(openTarget)
      await app.users.create(ann)
      await app.client.signIn(secret)

      const stranger = app.target.client()
      const friend = app.target.client({ token: app.client.token! })

      await expect(stranger.me()).rejects.toBeInstanceOf(NotFoundError)
      expect(await friend.me()).toMatchObject({ username: 'ann' })
    })

    it('stays unknown with a wrong password, or to an unknown user', async () => {
      await using app = await open(openTarget)
      await app.users.create(ann)

      const attempts = await Promise.allSettled([
        app.client.signIn({ ...secret, password: 'guess' }),
        app.client.signIn({ ...secret, username: 'bob' }),
      ])

      for (const attempt of attempts) {
        const { reason } = attempt as PromiseRejectedResult
        expect(reason).toBeInstanceOf(AuthenticationError)
        expect(reason).toMatchObject({
          code: 'invalid_grant',
          status: 400,
          message: 'invalid username or password',
        })
      }
      expect(app.client.token).toBeUndefined()
    })

    it('can end all sessions, so that the token is of no more use', async () => {
      await using app = await open(openTarget)
      await app.users.create(ann)
      await app.client.signIn(secret)
      const thief = app.target.client({ token: app.client.token! })

      await app.client.signOut({ everywhere: true })

      await expect(thief.me()).rejects.toBeInstanceOf(AuthenticationError)
    })

    it('is never a guest with a token that is none', async () => {
      await using app = await open(openTarget)
      const client = app.target.client({ token: 'garbage' })

      await expect(client.collection('dogs').find()).rejects.toBeInstanceOf(AuthenticationError)
    })

    it('may be a program with credentials of its own', async () => {
      await using app = await open(openTarget)
      const { clientId, clientSecret } = app.target
      const program = app.target.client({ clientId, clientSecret })
      const impostor = app.target.client({ clientId, clientSecret: `${clientSecret}x` })

      await program.collection('dogs').create({ name: 'fido' })

      expect(await program.collection('dogs').get('fido')).toMatchObject({ name: 'fido' })
      await expect(program.request('GET', '/credentials')).resolves.toHaveProperty('credentials')
      await expect(app.client.request('GET', '/credentials')).rejects.toBeInstanceOf(PermissionError)
      await expect(impostor.collection('dogs').find()).rejects.toBeInstanceOf(AuthenticationError)
    })

    it('can ask what he may do, and programs what others may', async () => {
      await using app = await open(openTarget)
      const { clientId, clientSecret } = app.target
      const program = app.target.client({ clientId, clientSecret })
      await app.users.create(ann)
      const fido = await app.dogs.create({ name: 'fido' })
      await app.client.signIn(secret)

      expect(await app.client.can('put', fido)).toBe(true)
      expect(await app.client.can('put', '/users/ann/permissions')).toBe(false)
      expect(await app.client.explain('POST', '/users/me/likes')).toMatchObject({ user: { username: 'ann' } })
      expect(await program.explain('delete', fido, { user: 'ann' })).toMatchObject({
        allowed: true,
        rights: [{ path: `/dogs/${fido.uuid}`, by: { holder: 'role', name: 'default' } }],
      })
      await expect(app.client.explain('get', fido, { user: 'guest' })).rejects.toBeInstanceOf(PermissionError)
    })
  })

  describe(`a call, ${name}`, () => {
    it('to an application that is not there fails', async () => {
      await using app = await open(openTarget)
      const lost = app.target.client({ application: 'nowhere' })

      await expect(lost.collection('dogs').find()).rejects.toMatchObject({
        name: 'NotFoundError',
        code: 'organization_application_not_found',
      })
    })

    it('is not made once its signal is aborted', async () => {
      await using app = await open(openTarget)

      const call = app.dogs.create({ name: 'fido' }, { signal: AbortSignal.abort() })

      await expect(call).rejects.toMatchObject({ name: 'AbortError' })
      await expect(app.dogs.get('fido')).rejects.toBeInstanceOf(NotFoundError)
    })

    it('can be any request the engine knows', async () => {
      await using app = await open(openTarget)

      expect(await app.client.request('GET', '/hello')).toMatchObject({ data: { say: 'Hello!' } })
    })
  })
}
