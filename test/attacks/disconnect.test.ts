import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer } from '../support/application.js'
import { unchangedPrototypes } from './prototypes.js'

describe.each(DATABASES)(
  'attack 11: ending a connection shows nothing that may not be read, on %s',
  (database) => {
    unchangedPrototypes()
    const server = sharedServer(database)

    const open = async () => {
      const app = await server.application()
      const closed = await app.newApplication('closed')
      await closed.admin.post('/notes', { name: 'x', secret: 'hunter2' })
      const ann = await app.signedUp('ann', {}, closed.path)
      return { closed, ann }
    }

    it('to a caller who is not connected: as if it were not there', async () => {
      const { closed, ann } = await open()
      expect((await ann.get('/notes/x')).status).toBe(401)

      for (const path of ['/users/me/likes/notes/x', '/users/me/likes/notes/nobody']) {
        const { status, body } = await ann.delete(path)
        expect([status, body.error, body.error_description]).toEqual([
          404,
          'service_resource_not_found',
          'Service resource not found',
        ])
      }
      const batch = await ann.post('/_batch', {
        operations: [{ method: 'DELETE', path: 'users/me/likes/notes/x' }],
      })
      expect([batch.status, batch.text.includes('hunter2')]).toEqual([404, false])
      expect((await closed.admin.get('/notes/x')).status).toBe(200)
    })

    it('to a caller who could read it once: the connection ends, and nothing is shown', async () => {
      const { closed, ann } = await open()
      const permission = 'get:/notes/x'
      await closed.admin.post('/users/ann/permissions', { permission })
      expect((await ann.post('/users/me/likes/notes/x')).status).toBe(200)
      await closed.admin.delete(`/users/ann/permissions?permission=${permission}`)

      const { status, body, text } = await ann.delete('/users/me/likes/notes/x')

      expect([status, body.entities, text.includes('hunter2')]).toEqual([200, [], false])
      expect((await closed.admin.get('/users/ann/likes')).body.entities).toEqual([])
      expect((await ann.delete('/users/me/likes/notes/x')).status).toBe(404)
    })
  },
)
