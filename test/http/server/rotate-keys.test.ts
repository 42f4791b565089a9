import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '@entigrid/core'
import { expect, it } from 'vitest'
import { type EngineSettings, run } from '../../../packages/server/src/commands.js'
import { OWNER, tokenClient } from '../../support/engine-client.js'

const SECRET = 's'.repeat(32)
const passwordCost = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

/** A server's engine on a file, and a process that runs commands on the same file. */
const openProcess = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'entigrid-keys-'))
  const database = `sqlite:${join(folder, 'x.db')}`
  const time = { now: Date.now() }
  const engine = await openEngine({
    database,
    secret: SECRET,
    passwordCost,
    signing: { algorithm: 'ES256' },
    clock: () => time.now,
  })
  await engine.bootstrap(OWNER)
  const said = { printed: '', told: '' }
  const around = {
    folder,
    version: '1',
    stopped: Promise.resolve(),
    env: { ENTIGRID_LOG_LEVEL: 'silent', ENTIGRID_SECRET: SECRET, ENTIGRID_DATABASE_URL: database },
    openEngine: (settings: EngineSettings) => openEngine({ ...settings, passwordCost }),
    print: (text: string) => {
      said.printed += text
    },
    tell: (text: string) => {
      said.told += text
    },
  }
  const client = tokenClient(engine, '/management')
  return {
    time,
    said,
    run: (command: string) => run(command.split(' '), around),
    signIn: async () =>
      (await client.grant({ grant_type: 'password', ...OWNER })).body.access_token as string,
    read: async (token: string) => (await client.as(token, 'GET', '/me')).status,
    async [Symbol.asyncDispose]() {
      await engine.close()
      rmSync(folder, { recursive: true })
    },
  }
}

it('entigrid rotate-keys makes a key that a running server signs with a second later', async () => {
  await using made = await openProcess()
  const old = await made.signIn()

  expect(await made.run('rotate-keys --signing ES256'), made.said.told).toBe(0)
  const [, kid] = new RegExp(`^Access tokens are signed with the key (${UUID}) from now on\n`).exec(
    made.said.printed,
  )!
  expect(made.said.printed).toContain('Tokens by older keys stay good')
  made.time.now += 1000
  const young = await made.signIn()

  const header = JSON.parse(Buffer.from(young.split('.')[0]!, 'base64url').toString())
  expect(header).toMatchObject({ alg: 'ES256', kid })
  expect([await made.read(old), await made.read(young)]).toEqual([200, 200])

  expect(await made.run('rotate-keys --signing ES256 --forget')).toBe(0)
  made.time.now += 1000
  expect([await made.read(old), await made.read(young)]).toEqual([401, 401])
  expect(await made.read(await made.signIn())).toBe(200)
})

it('entigrid rotate-keys says what to set where the secret signs', async () => {
  await using made = await openProcess()

  for (const command of ['rotate-keys', 'rotate-keys --signing ES256 --compat usergrid'])
    expect(await made.run(command)).toBe(1)
  expect(made.said.told).toContain('there is no key to rotate')
  expect(await made.run('rotate-keys --signing none')).toBe(1)
  expect(made.said.told).toContain('must be one of HS256, ES256, RS256')
})
