import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '@entigrid/core'
import { describe, expect, it } from 'vitest'
import { run } from '../../../packages/server/src/commands.js'

const SECRET = 's'.repeat(32)

/** A database with the application acme/sandbox and the user ann, and a process that runs commands on it. */
const openProcess = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'entigrid-can-'))
  const database = `sqlite:${join(folder, 'x.db')}`
  const engine = await openEngine({ database, secret: SECRET })
  await engine.bootstrap({ username: 'owner', password: 'a password for tests', organization: 'acme' })
  const system = await engine.app('acme/sandbox').asSystem('test')
  const { uuid } = await system.create('users', { username: 'ann' })
  await engine.close()
  const said = { printed: '', told: '' }
  const around = {
    folder,
    version: '1',
    stopped: Promise.resolve(),
    env: { ENTIGRID_LOG_LEVEL: 'silent', ENTIGRID_SECRET: SECRET, ENTIGRID_DATABASE_URL: database },
    openEngine: (settings: { database: string; secret: string }) =>
      openEngine({ database: settings.database, secret: settings.secret }),
    print: (text: string) => {
      said.printed += text
    },
    tell: (text: string) => {
      said.told += text
    },
  }
  return {
    uuid,
    said,
    run: (command: string) => run(command.split(' '), around),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

describe('entigrid can', () => {
  it('ends with 0 and names the string, where the user may', async () => {
    using made = await openProcess()

    expect(await made.run('can ann put /dogs/fido --app acme/sandbox'), made.said.told).toBe(0)
    expect(made.said.printed).toBe(
      'ann may PUT /dogs/fido\n  put:/dogs/fido  by get,put,post,delete:/** of the role default\n',
    )
  })

  it('ends with 1 and names what is needed, where not', async () => {
    using made = await openProcess()

    expect(await made.run('can ann put /users/me/permissions --app acme/sandbox')).toBe(1)
    expect(made.said.printed).toBe(
      'ann may not PUT /users/me/permissions: Subject does not have permission to access this resource\n' +
        `  put:/users/${made.uuid}/permissions  needs put:/users/me/permissions\n`,
    )
  })

  it('writes JSON for programs', async () => {
    using made = await openProcess()

    expect(await made.run('can guest GET /dogs --app acme/sandbox --json')).toBe(0)
    expect(JSON.parse(made.said.printed)).toMatchObject({ allowed: true, user: { kind: 'guest' } })
  })

  it.each([
    ['can ann put /dogs', 'Name the application: --app ORGANIZATION/APPLICATION'],
    [
      'can ann put',
      'Usage: entigrid can USER METHOD PATH --app ORGANIZATION/APPLICATION [--json] [SETTINGS]',
    ],
    ['can eve put /dogs --app acme/sandbox', 'Service resource not found'],
    ['can ann look /dogs --app acme/sandbox', 'method is one of GET, POST, PUT, PATCH, DELETE'],
  ])('says why "entigrid %s" cannot tell', async (command, told) => {
    using made = await openProcess()

    expect(await made.run(command)).toBe(command.includes('/dogs') ? 2 : 1)
    expect(made.said).toEqual({ printed: '', told: `entigrid: ${told}\n` })
  })
})
