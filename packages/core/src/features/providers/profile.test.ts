import { expect, it } from 'vitest'
import { readProfile } from './profile.js'

it.each([
  ['ann@x.test', true, 'ann@x.test'],
  ['Ann@x.test', 'true', 'Ann@x.test'],
  ['ann@x.test', false, null],
  ['ann@x.test', undefined, null],
  // Stored in another form, it would be the address of somebody else.
  ['ａnn@x.test', true, null],
  ['аnn@x.test', true, null],
  ['ann', true, null],
  [['ann@x.test'], true, null],
])('of the address %j, verified: %s, a profile has %j', (email, verified, expected) => {
  const profile = readProfile({ iss: 'https://issuer.test', sub: '1', email, email_verified: verified })

  expect(profile).toMatchObject({ subject: '1', email: expected })
})
