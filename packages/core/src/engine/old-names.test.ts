import { expect, it } from 'vitest'
import { builtInDescriptors } from '../built-in.js'
import { newUuid } from '../domain/uuid.js'
import { openTestStore } from '../testing/stores.js'
import { Descriptors } from './descriptor.js'
import { Engine } from './engine.js'

const APP = 1

it('names that were stored before a rule was made are found and kept', async () => {
  await using place = await openTestStore('sqlite', { uniqueProperties: () => ['username', 'email'] })
  const engine = new Engine(place.store, new Descriptors(builtInDescriptors({ pictureScheme: 'https' })))
  const old = { username: 'ｏｌｄ|name', email: 'not an address' }
  const times = { created: 1, modified: 1 }
  await place.store.transact(null, (tx) =>
    tx.app(APP).insert('users', { uuid: newUuid(), type: 'user', ...times, ...old }),
  )

  const changed = await engine.transact(APP, null, (edits) =>
    edits.update(edits.get('users', old.username), { ...old, city: 'Oslo' }),
  )

  expect(changed.object).toMatchObject({ ...old, city: 'Oslo' })
  expect((await engine.find(APP, 'users', old.username))?.uuid).toBe(changed.uuid)
  const rename = (body: object) => engine.transact(APP, null, (edits) => edits.update(changed, { ...body }))
  await expect(rename({ username: 'new|name' })).rejects.toMatchObject({ code: 'illegal_argument' })
  await expect(rename({ email: 'no address either' })).rejects.toMatchObject({ code: 'illegal_argument' })
  expect((await rename({ username: 'ｎｅｗ' })).object['username']).toBe('new')
})
