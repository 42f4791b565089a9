import { describe, expect, it } from 'vitest'
import { Authenticator } from '../../../../../test/support/authenticator.js'
import { newChallenge, readCreated } from './passkeys.js'

const ORIGIN = 'https://shop.example.org'
const PARTY = { id: 'example.org', name: 'Shop', origins: [ORIGIN] }

describe('a new passkey', () => {
  it.each(['packed', 'apple', 'tpm', 'android-key'])(
    'is refused with a certificate in the form %s, before anybody reads it',
    async (fmt) => {
      const challenge = newChallenge()
      const options = { challenge, rp: { id: PARTY.id }, user: { id: 'x' } }
      const attStmt = new Map([['x5c', [Buffer.from('certificate')]]])
      const response = new Authenticator({ origin: ORIGIN }).create(options, { fmt, attStmt })

      const refused = await readCreated(PARTY, response, challenge).catch((error: unknown) => error)

      expect(refused).toMatchObject({
        code: 'illegal_argument',
        cause: new TypeError('The attestation is of a form that was not asked for'),
      })
    },
  )
})
