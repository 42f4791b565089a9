import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Json, openEngine, type Principal } from '@entigrid/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EngineSettings, run } from '../../../packages/server/src/commands.js'
import { codeAt } from '../../support/totp.js'

const SECRET = 's'.repeat(32)
const CHEAP = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
const PASSWORD = 'a password for tests'

interface Ended {
  code: number
  printed: string
  told: string
}

/** A database with the organization acme of `owner`, and a process that runs commands on it. */
const openProcess = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'entigrid-administration-'))
  const database = `sqlite:${join(folder, 'x.db')}`
  const open = () => openEngine({ database, secret: SECRET, passwordCost: CHEAP })
  const engine = await open()
  await engine.bootstrap({ username: 'owner', password: PASSWORD, organization: 'acme' })
  await engine.close()

  /** Words are those of the shell: a list, or text without blanks in words. */
  const execute = async (words: string | readonly string[], env: Record<string, string> = {}) => {
    const ended: Ended = { code: 0, printed: '', told: '' }
    ended.code = await run(typeof words === 'string' ? words.split(' ') : words, {
      folder,
      version: '1',
      stopped: Promise.resolve(),
      env: {
        ENTIGRID_LOG_LEVEL: 'silent',
        ENTIGRID_SECRET: SECRET,
        ENTIGRID_DATABASE_URL: database,
        ENTIGRID_ADMIN_PASSWORD: 'of somebody else',
        ...env,
      },
      openEngine: (settings: EngineSettings) => openEngine({ ...settings, passwordCost: CHEAP }),
      print: (text) => {
        ended.printed += text
      },
      tell: (text) => {
        ended.told += text
      },
    })
    return ended
  }
  /** What a command that succeeds prints. */
  const ok = async (words: string | readonly string[], env?: Record<string, string>): Promise<string> => {
    const { code, printed, told } = await execute(words, env)
    expect([code, told], String(words)).toEqual([0, ''])
    return printed
  }
  const json = async (words: string) => JSON.parse(await ok(`${words} --json`))
  const ask = async (path: string, body: Json, principal?: Principal) => {
    const asked = await open()
    const request = { method: 'POST', path, search: '', body, baseUrl: '' } as const
    const reply = await asked.handle(principal === undefined ? request : { ...request, principal })
    await asked.close()
    return JSON.parse(reply.body)
  }
  const signIn = async (path: string, username: string, password: string): Promise<string> => {
    const body = await ask(path, { grant_type: 'password', username, password })
    return body.access_token === undefined ? body.error_description : 'signed in'
  }
  return { folder, execute, ok, json, ask, signIn, close: () => rmSync(folder, { recursive: true }) }
}

const UUID = '[0-9a-f]{8}-[0-9a-f-]{27}'
const GENERATED = /^Password: (\S{16})$/m
const inPlaces = (text: string) => text.replaceAll(new RegExp(UUID, 'g'), 'UUID')

describe('an operator', () => {
  let operator: Awaited<ReturnType<typeof openProcess>>
  beforeAll(async () => {
    operator = await openProcess()
  })
  afterAll(() => operator.close())

  it('makes an organization with a new administrator, who can sign in, and adds others', async () => {
    const { ok, json, signIn, execute } = operator

    const made = await ok('org create bakery ann@bakery.test --username ann')
    const password = GENERATED.exec(made)![1]!
    await ok('user create ben ben@bakery.test', { ENTIGRID_PASSWORD: PASSWORD })
    await ok('org add-member bakery ben@bakery.test')
    await ok('org create shop ben --no-sandbox')

    expect(made).toMatch(/^Made the organization bakery and the administrator ann\n/)
    expect(await signIn('/management/token', 'ann', password)).toBe('signed in')
    expect(await signIn('/management/token', 'ben', PASSWORD)).toBe('signed in')
    expect(
      inPlaces(await ok('org members bakery'))
        .split('\n')
        .sort()
        .slice(1),
    ).toEqual([
      'USERNAME  EMAIL            NAME  STATE   UUID',
      'ann       ann@bakery.test  ann   active  UUID',
      'ben       ben@bakery.test  ben   active  UUID',
    ])
    expect(inPlaces(await ok('org list'))).toBe(
      'NAME    APPLICATIONS  UUID\nshop    0             UUID\nbakery  1             UUID\nacme    1             UUID\n',
    )
    expect(await json('org show bakery')).toMatchObject({ name: 'bakery', users: { ann: {}, ben: {} } })
    expect(inPlaces(await ok('user show ben'))).toBe(
      [
        'username       ben',
        'name           ben',
        'email          ben@bakery.test',
        'uuid           UUID',
        'state          active',
        'organizations  bakery',
        '               shop',
        '',
      ].join('\n'),
    )
    expect(await ok('org remove-member bakery ann')).toBe('ann does not administer bakery any more\n')
    expect(await execute('org remove-member bakery ben')).toMatchObject({
      code: 1,
      told: 'entigrid: Organizations must have at least one member.\n',
    })
  })

  it('makes, deletes and restores applications, and renews their credentials', async () => {
    const { ok, json, execute } = operator

    await ok('app create acme/store')
    const { client_id, client_secret } = await json('app credentials acme/store')
    const renewed = await json('app credentials acme/store --renew')
    const set = await json('app set acme/store accesstokenttl=3600000 motto=fresh')
    const unset = await json('app set acme/store motto=')
    const refused = await execute('app delete acme/store')
    await ok('app delete acme/store --yes')
    const deleted = [await json('app list acme'), await json('app list acme --deleted')]
    const restored = await ok('app restore acme/store')

    expect(renewed).toEqual({ client_id, client_secret: expect.not.stringMatching(client_secret) })
    expect([set.accesstokenttl, set.motto, unset.motto]).toEqual([3_600_000, 'fresh', undefined])
    expect(refused).toMatchObject({
      code: 1,
      told: 'entigrid: acme/store will not answer any more; add --yes if that is meant\n',
    })
    expect(deleted.map(Object.keys)).toEqual([['acme/sandbox'], ['acme/store']])
    expect(restored).toBe('Restored acme/store; its client secret is a new one\n')
    expect(inPlaces(await ok('app list acme'))).toBe(
      'NAME          UUID\nacme/sandbox  UUID\nacme/store    UUID\n',
    )
    expect(await ok('app show acme/store')).toMatch(
      /^accesstokenttl {2}3600000\n\nCOLLECTION {2}ENTITIES\nroles {7}3$/m,
    )
  })

  it('makes users, keeps them out, lets them in, and deletes them', async () => {
    const { ok, json, signIn, execute } = operator
    const enter = (password: string) => signIn('/acme/sandbox/token', 'cat', password)
    const app = '--app acme/sandbox'

    const first = GENERATED.exec(await ok(`user create cat cat@acme.test ${app}`))![1]!
    const states = [await enter(first)]
    const second = GENERATED.exec(await ok(`user password cat@acme.test ${app}`))![1]!
    states.push(await enter(first), await enter(second))
    await ok(`user disable cat ${app}`)
    states.push(await enter(second))
    const listed = await ok(`user list --ql username='cat' ${app}`)
    await ok(`user enable cat ${app}`)
    states.push(await enter(second))
    const refused = await execute(`user delete cat ${app}`)
    await ok(`user delete cat ${app} --yes`)

    expect(states).toEqual([
      'signed in',
      'invalid username or password',
      'signed in',
      'user disabled',
      'signed in',
    ])
    expect(inPlaces(listed)).toBe(
      'USERNAME  EMAIL          NAME  STATE     UUID\ncat       cat@acme.test        disabled  UUID\n',
    )
    expect(refused.told).toBe('entigrid: cat will be gone for ever; add --yes if that is meant\n')
    expect(await json(`user list ${app}`)).toEqual([])
    expect((await execute(`user disable cat ${app}`)).told).toBe(
      'entigrid: There is no user cat in acme/sandbox\n',
    )
  })

  it('helps those who have lost their second factor', async () => {
    const { ok, ask, signIn } = operator
    await ok('user create gil gil@acme.test', { ENTIGRID_PASSWORD: PASSWORD })
    const { uuid } = JSON.parse(await ok('user show gil --json'))
    const gil: Principal = { kind: 'admin', uuid, username: 'gil' }
    const { data } = await ask('/management/users/me/factors/totp', {}, gil)
    await ask('/management/users/me/factors/totp/confirm', { code: codeAt(data.secret, Date.now()) }, gil)
    const before = await signIn('/management/token', 'gil', PASSWORD)

    const told = await ok('user remove-factors gil')

    expect(told).toBe('gil has no second factor any more\n')
    expect(before).toBe('Signing in takes a second factor')
    expect(await signIn('/management/token', 'gil', PASSWORD)).toBe('signed in')
  })

  it('disables administrators', async () => {
    const { ok, signIn, json } = operator
    await ok('user create dora dora@acme.test', { ENTIGRID_PASSWORD: PASSWORD })

    await ok('user disable dora')

    expect(await signIn('/management/token', 'dora', PASSWORD)).toBe('user disabled')
    expect(await json('user list')).toContainEqual(
      expect.objectContaining({ username: 'dora', disabled: true }),
    )
  })

  it('makes roles, sees and edits what they allow, and gives them to users and groups', async () => {
    const { ok, json, execute, ask } = operator
    const app = ['--app', 'acme/sandbox']
    const system = { kind: 'sysadmin' } as const
    await ok('user create eve --app acme/sandbox')
    await ask('/acme/sandbox/groups', { path: 'eng/web' }, system)
    await ask('/acme/sandbox/groups/eng%2Fweb/users/eve', {}, system)

    await ok(['role', 'create', 'editor', 'get,put:/articles/**', '--title', 'Editors', ...app])
    const granted = await ok(['role', 'grant', 'editor', 'delete:/articles/*', 'POST:/drafts', ...app])
    const left = await ok(['role', 'revoke', 'editor', 'delete:/articles/*', ...app])
    await ok(['role', 'assign', 'editor', 'eve', ...app])
    const { roles } = await json('user show eve --app acme/sandbox')
    const may = await execute('can eve put /articles/intro --app acme/sandbox')
    await ok(['role', 'unassign', 'editor', 'eve', ...app])
    const mayNot = await execute('can eve put /users/me/permissions --app acme/sandbox')
    await ok(['role', 'grant', 'editor', 'put:/users/me/permissions', ...app])
    await ok(['role', 'assign', 'editor', 'eng/web', '--group', ...app])
    const mayAgain = await execute('can eve put /users/me/permissions --app acme/sandbox')

    expect(granted.split('\n').sort()).toEqual([
      '',
      'delete:/articles/*',
      'get,put:/articles/**',
      'post:/drafts',
    ])
    expect(left.split('\n').sort()).toEqual(['', 'get,put:/articles/**', 'post:/drafts'])
    expect(roles).toEqual(['editor'])
    expect([may.code, mayNot.code, mayAgain.code]).toEqual([0, 1, 0])
    expect(await json('user show eve --app acme/sandbox')).toMatchObject({ roles: [], groups: ['eng/web'] })
    expect(await ok(['role', 'list', ...app])).toMatch(
      /^ROLE {5}TITLE {10}PERMISSIONS\neditor {3}Editors {8}\S+\n {24}\S+\n {24}\S+\nguest/,
    )
    expect(await execute(['role', 'revoke', 'editor', 'get:/nothing', ...app])).toMatchObject({
      code: 1,
      told: 'entigrid: The role editor has none of these; see entigrid role permissions\n',
    })
    expect((await execute(['role', 'create', 'bad', 'eat:/dogs', ...app])).code).toBe(1)
    expect((await execute(['role', 'permissions', 'bad', ...app])).told).toBe(
      'entigrid: There is no role bad in acme/sandbox\n',
    )
  })

  it('is not shown what would move the cursor', async () => {
    const { ok, ask } = operator
    const mal = { username: 'mal', name: 'mal\u001b[2J\u202e' }
    await ask('/acme/sandbox/users', mal, { kind: 'sysadmin' })

    expect(await ok('user list --app acme/sandbox')).toContain('mal\ufffd[2J\ufffd ')
  })

  it.each([
    ['org dance', 'There is no command "org dance"; try entigrid help org'],
    ['org show', 'Usage: entigrid org show NAME [--json] [SETTINGS]'],
    ['org show nowhere', 'Could not find organization for name: nowhere'],
    ['org create x nobody', 'There is no administrator nobody; the e-mail address of a new one makes him'],
    ['app create acme', 'Name the application as ORGANIZATION/APPLICATION'],
    ['app set acme/sandbox motto', '"motto" is not NAME=VALUE'],
    ['app restore acme/none', 'No deleted application is acme/none; see entigrid app list acme --deleted'],
    ['user delete all --app acme/sandbox --yes', '"all" is not a name'],
    ['user delete owner --yes', 'Administrators are not deleted: entigrid user disable'],
    ['user list --limit many', '--limit must be a whole number from 1 to 9999999'],
    ['user list --app acme/nowhere', 'Could not find application for acme/nowhere from URI: acme/nowhere'],
    ['role list', 'Name the application as ORGANIZATION/APPLICATION'],
    ['help dogs', 'There is no help on "dogs"; see entigrid help'],
  ])('is told why "entigrid %s" is not done', async (command, told) => {
    expect(await operator.execute(command)).toEqual({ code: 1, printed: '', told: `entigrid: ${told}\n` })
  })

  it('is told of more users, and that a database is not there', async () => {
    await operator.execute('user create fay --app acme/sandbox')

    expect(await operator.execute('user list --limit 1 --app acme/sandbox --json')).toMatchObject({
      code: 0,
      printed: expect.stringContaining('"fay"'),
      told: 'There are more: --limit NUMBER\n',
    })
    expect(await operator.execute('org list --database-url sqlite:elsewhere.db')).toMatchObject({
      code: 1,
      told: `entigrid: There is no database at ${join(operator.folder, 'elsewhere.db')}. Name another with --database-url, or start the server first\n`,
    })
  })

  it('gets help on each subject', async () => {
    for (const subject of ['org', 'app', 'user', 'role']) {
      const help = await operator.ok(`help ${subject}`)
      expect(help).toContain(`  entigrid ${subject} list`)
      for (const words of [subject, `${subject} --help`, `${subject} list --help`])
        expect(await operator.ok(words)).toBe(help)
    }
  })
})
