import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../domain/json.js'
import { Descriptors } from '../../engine/descriptor.js'
import { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { openTestStore, type TestStore } from '../../testing/stores.js'
import { AccessTokens } from './access-token.js'
import { clientGrant } from './client-grant.js'
import type { GrantType } from './grant.js'
import { passwordGrant } from './password-grant.js'
import { RefreshTokens } from './refresh-tokens.js'
import { secretBox } from './secret-box.js'
import { SignInRecords } from './sign-in-records.js'
import { Tokens } from './tokens.js'

const MANAGEMENT = 1
const NOW = 1_700_000_000_000
const ADA = { username: 'ada', name: 'ada', activated: true }

/** Tokens of a place with one administrator, where `during` happens while a proof is looked at. */
const open = async (
  { store }: TestStore,
  during: (ada: StoredEntity, tokens: Tokens) => Promise<unknown>,
) => {
  const engine = new Engine(store, new Descriptors([{ collection: 'users', alias: ['name'] }]))
  const ada = await engine.create(MANAGEMENT, null, 'users', ADA)
  const client = await engine.create(MANAGEMENT, null, 'applications', { name: 'acme/shop' })
  const secret = randomBytes(32)
  const looked = async () => {
    await during(ada, tokens)
    return true
  }
  const tokens: Tokens = new Tokens({
    engine,
    tokens: new AccessTokens({ secret }),
    records: new SignInRecords(secretBox(secret, 'test')),
    refreshTokens: new RefreshTokens(secret),
    replayed: () => undefined,
    grants: new Map<string, GrantType>([
      ['password', passwordGrant({ engine, management: MANAGEMENT, verify: looked })],
      [
        'client_credentials',
        clientGrant({
          client: async () => ((await looked()) ? client : null),
          failed: async () => undefined,
        }),
      ],
    ]),
    management: MANAGEMENT,
    clock: () => NOW,
    forget: () => undefined,
  })
  const grant = (grant_type: string) =>
    tokens.grant({
      fields: { grant_type, username: 'ada', password: 'x', client_id: 'x', client_secret: 'x' },
      app: null,
      asked: {},
    })
  return { engine, client, grant, tokens, ada }
}

type Happens = (ada: StoredEntity, tokens: Tokens, engine: Engine) => Promise<unknown>

const becomes =
  (state: JsonObject): Happens =>
  ({ uuid }, _, engine) =>
    engine.transact(MANAGEMENT, null, (edits) => edits.update(edits.get('users', uuid), state))

describe('signing in', () => {
  it.each<[string, Happens]>([
    ['all tokens are revoked', (ada, tokens) => tokens.revokeAll('test', ada)],
    [
      'he is removed',
      ({ uuid }, _, engine) => engine.transact(MANAGEMENT, null, (edits) => edits.remove('users', uuid)),
    ],
    ['he is disabled', becomes({ disabled: true })],
    ['he is deactivated', becomes({ activated: false })],
    ['he is told to confirm his address', becomes({ confirmed: false })],
  ])('fails when, while his password is looked at, %s', async (_, happens) => {
    await using place = await openTestStore('memory', { uniqueProperties: () => ['name'] })
    const made = await open(place, (ada, tokens) => happens(ada, tokens, made.engine))

    await expect(made.grant('password')).rejects.toMatchObject({ code: 'invalid_grant' })
    expect(await made.tokens.signIns(made.ada)).toEqual([])
  })

  it('works otherwise, also in the moment after all tokens were revoked', async () => {
    await using place = await openTestStore('memory', { clock: () => NOW })
    const made = await open(place, async () => undefined)
    await made.tokens.revokeAll('test', made.ada)

    const { access_token } = await made.grant('password')

    const { issuedAt, signIn } = await made.tokens.claims(access_token)
    expect(issuedAt).toBe(Number(await made.tokens.lastRevoked(made.ada)))
    expect(await made.tokens.signIns(made.ada)).toEqual([
      expect.objectContaining({ id: signIn, created: issuedAt }),
    ])
  })

  it('fails for a client whose secret is renewed while it is looked at', async () => {
    await using place = await openTestStore('memory', { clock: () => NOW })
    const made = await open(place, () =>
      made.engine.transact(MANAGEMENT, null, (edits) =>
        edits.tx.setEntry(edits.get('applications', made.client.uuid), 'tokens', 'since', String(NOW + 5)),
      ),
    )

    await expect(made.grant('client_credentials')).rejects.toMatchObject({ code: 'invalid_grant' })
  })
})
