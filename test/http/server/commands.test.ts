import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError, errorReply } from '@entigrid/core'
import { openTestEngine } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../../packages/server/src/arguments.js'
import { type EngineSettings, run } from '../../../packages/server/src/commands.js'
import type { Bootstrapped, StandaloneEngine } from '../../../packages/server/src/engine.js'
import { openHttp, RecordingEngine, request } from '../../support/http-server.js'

class RecordingStandaloneEngine extends RecordingEngine implements StandaloneEngine {
  closed = false

  async bootstrap({
    username,
    password,
    organization,
  }: {
    username: string
    password?: string | undefined
    organization: string
  }): Promise<Bootstrapped> {
    return {
      created: true,
      username,
      password: password === undefined ? 'made-up-1' : undefined,
      organization,
      application: 'sandbox',
    }
  }

  async rotateKeys(): Promise<string> {
    return 'a key'
  }

  override async close(): Promise<void> {
    this.closed = true
  }
}

/** A process that runs commands in a folder of its own. Its log is off unless a command turns it on. */
const openProcess = (engine = new RecordingStandaloneEngine()) => {
  const folder = mkdtempSync(join(tmpdir(), 'entigrid-commands-'))
  const opened: EngineSettings[] = []
  const said = { printed: '', told: '' }
  let stop = () => {}
  let serving = () => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  const welcomed = new Promise<void>((resolve) => {
    serving = resolve
  })
  const around = {
    folder,
    version: '9.8.7',
    stopped,
    openEngine: async (settings: EngineSettings) => {
      opened.push(settings)
      return engine
    },
    print: (text: string) => {
      said.printed += text
    },
    tell: (text: string) => {
      said.told += text
      serving()
    },
  }
  return {
    engine,
    folder,
    opened,
    said,
    stop,
    welcomed,
    run: (command: string, env: Record<string, string> = {}) =>
      run(command.split(' '), { ...around, env: { ENTIGRID_LOG_LEVEL: 'silent', ...env } }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

describe('entigrid start', () => {
  it('serves, says once how to begin, and closes everything when told to stop', async () => {
    using made = openProcess()

    const running = made.run('start --port 0')
    await made.welcomed

    const url = /runs at (\S+)/.exec(made.said.told)![1]!
    expect(made.said.told).toContain(join(made.folder, 'data/entigrid.db'))
    expect(made.said.told).toContain('Administrator  admin\n')
    expect(made.said.told).toContain('Password       made-up-1 ')
    expect(made.said.told).toContain(`curl -X POST ${url}/demo/sandbox/dogs -d '{"breed":"corgi"}'`)
    expect((await request(`${url}/health`)).status).toBe(200)
    made.stop()
    expect(await running).toBe(0)
    expect(made.engine.closed).toBe(true)
    await expect(request(url)).rejects.toThrow('ECONNREFUSED')
  })

  it('gives the engine what was configured and keeps passwords to itself', async () => {
    using made = openProcess()
    made.stop()

    await made.run('start --port 0 --compat usergrid --database-url sqlite:x.db', {
      ENTIGRID_ADMIN_USERNAME: 'root',
      ENTIGRID_ADMIN_PASSWORD: 'pass-word-1',
    })

    expect(made.opened).toMatchObject([
      {
        database: 'sqlite:x.db',
        compatibility: 'usergrid',
        secret: expect.stringMatching(/^\w{64}$/),
      },
    ])
    expect(made.said.told).toContain('Administrator  root\n')
    expect(made.said.told).not.toContain('pass-word-1')
  })

  it('says on one line that the port is taken, and closes the database', async () => {
    using made = openProcess()
    await using other = await openHttp()

    expect(await made.run(`start --port ${other.port}`)).toBe(1)

    expect(made.said.told).toBe(
      `entigrid: Port ${other.port} on 127.0.0.1 is taken. Stop the program that holds it, or choose another with --port\n`,
    )
    expect(made.engine.closed).toBe(true)
  })

  it.each([
    [
      { ENTIGRID_ADMIN_PASSWORD: 'short' },
      "The administrator's password is too weak: error_length_policy: must be at least 8 characters. Choose another with --admin-password",
    ],
    [
      { ENTIGRID_ADMIN_USERNAME: 'Ann|Admin' },
      "The administrator cannot be made: A username has letters, digits, blanks and _ - . / ' + only, or is an e-mail address. Choose another name with --admin-username",
    ],
  ])('says on one line that an administrator cannot be made of %j', async (env, told) => {
    await using test = await openTestEngine('sqlite')
    using made = openProcess()
    made.engine.bootstrap = (first) => test.engine.bootstrap(first)

    expect(await made.run('start --port 0', env)).toBe(1)

    expect(made.said.told).toBe(`entigrid: ${told}\n`)
  })

  it.each([
    ['start --prot 1', "entigrid: Unknown option '--prot'; see entigrid help\n"],
    ['start --port x', 'entigrid: --port must be a whole number from 0 to 65535, not "x"\n'],
    ['start now', 'entigrid: Usage: entigrid start [--load EXAMPLE] [SETTINGS]\n'],
    [
      'create-admin ann',
      'entigrid: Usage: entigrid create-admin USERNAME EMAIL [--organization NAME] [SETTINGS]\n',
    ],
    ['dance', 'entigrid: There is no command "dance"; try entigrid help\n'],
    ['start --load ../etc', 'entigrid: --load "../etc" is not a name\n'],
    [
      'start --load nothing',
      'entigrid: The example nothing is not installed. Install @entigrid/example-nothing, or leave out --load\n',
    ],
    [
      'start --database-url postgres://u:pw@h/x',
      'entigrid: ENTIGRID_SECRET must be set when the database is PostgreSQL; openssl rand -hex 32 makes one\n',
    ],
    [
      'start --host 203.0.113.7',
      'entigrid: 203.0.113.7 is not an address of this machine. Choose another with --host\n',
    ],
  ])('refuses "entigrid %s" on one line', async (command, told) => {
    using made = openProcess()

    expect(await made.run(command)).toBe(1)
    expect(made.said).toEqual({ printed: '', told })
  })

  it.each([
    [
      Object.assign(new Error('schema 9, known 3'), { name: 'NewerSchemaError' }),
      /^entigrid: The database postgres:\/\/u:\*\*\*@h\/x was written by a newer release: schema 9, known 3\. Install [^\n]+\n$/,
    ],
    [
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      'entigrid: The database postgres://u:***@h/x cannot be reached (ECONNREFUSED). Start it, or correct --database-url\n',
    ],
  ])('explains the failure of a database: %s', async (error, told) => {
    using made = openProcess()
    const failing = {
      env: { ENTIGRID_SECRET: 's'.repeat(32), ENTIGRID_LOG_LEVEL: 'silent' },
      folder: made.folder,
      version: '1',
      stopped: Promise.resolve(),
      openEngine: () => Promise.reject(error),
      print: () => {},
      tell: (text: string) => void expect(text).toMatch(told),
    }

    expect(await run(['start', '--database-url', 'postgres://u:pw@h/x'], failing)).toBe(1)
    expect.assertions(2)
  })
})

describe('entigrid create-admin', () => {
  it('makes the administrator as the system, and prints a password it made up', async () => {
    using made = openProcess()

    expect(await made.run('create-admin ann ann@acme.test --organization acme')).toBe(0)

    const password = /^Made the administrator ann\nPassword: (\S{16})\n$/.exec(made.said.printed)?.[1]
    expect(made.engine.requests).toMatchObject([
      {
        method: 'POST',
        path: '/management/orgs/acme/users',
        body: { username: 'ann', email: 'ann@acme.test', password },
        principal: { kind: 'system', reason: 'entigrid create-admin' },
      },
    ])
    expect(made.engine.closed).toBe(true)
  })

  it('tells why the engine refuses', async () => {
    using made = openProcess(
      new RecordingStandaloneEngine(() =>
        errorReply(new AppError('illegal_argument', 'name is taken'), 0, 0),
      ),
    )

    expect(await made.run('create-admin ann ann@acme.test')).toBe(1)
    expect(made.said).toEqual({ printed: '', told: 'entigrid: name is taken\n' })
  })
})

describe('the other commands', () => {
  it('print the version and the help, which names every command', async () => {
    using made = openProcess()

    expect(await made.run('version')).toBe(0)
    expect(made.said.printed).toBe('9.8.7\n')
    expect(await made.run('start --help')).toBe(0)
    for (const name of [...COMMANDS, '--config', '--repair', '--force', 'ENTIGRID_SECRET'])
      expect(made.said.printed).toContain(name)
  })

  it('migrate opens the database and closes it', async () => {
    using made = openProcess()

    expect(await made.run('migrate --database-url sqlite:x.db')).toBe(0)
    expect(made.said.printed).toBe(`The schema of ${join(made.folder, 'x.db')} is up to date\n`)
    expect(made.engine.closed).toBe(true)
  })
})
