import { execFile } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openHttp, request } from '../../support/http-server.js'
import { openInstallation } from '../../support/installation.js'

const shell = promisify(execFile)

describe('a first start without configuration', () => {
  it('makes everything, and prints a curl line that works when pasted', async () => {
    using made = openInstallation()
    const server = made.entigrid('start', '--port', '0')
    await server.welcomed()

    const line = /^ {2}(curl -X POST .*)$/m.exec(server.said.err)![1]!
    const { stdout } = await shell('sh', ['-c', `${line} -s`])

    expect(JSON.parse(stdout)).toMatchObject({
      action: 'post',
      path: '/dogs',
      entities: [{ type: 'dog', breed: 'corgi' }],
    })
    expect(server.said.err).toContain(join(made.folder, 'data/entigrid.db'))
    expect(statSync(join(made.folder, 'data/entigrid.db.secret')).mode & 0o777).toBe(0o600)
  })

  it('prints a password that signs in, and never again', async () => {
    using made = openInstallation()
    const first = made.entigrid('start', '--port', '0')
    const url = await first.welcomed()
    const password = /Password {7}(\S+)/.exec(first.said.err)![1]!
    first.stop('SIGTERM')
    expect(await first.ended).toBe(0)
    expect(first.said.out).not.toContain(password)
    await expect(request(url)).rejects.toThrow('ECONNREFUSED')

    const second = made.entigrid('start', '--port', '0')
    const token = await request(`${await second.welcomed()}/management/token`, {
      method: 'POST',
      body: JSON.stringify({ grant_type: 'password', username: 'admin', password }),
    })

    expect(token).toMatchObject({ status: 200, json: { access_token: expect.any(String) } })
    expect(second.said.err).not.toMatch(/password/i)
    expect(second.said.out + second.said.err).not.toContain(password)
    second.stop('SIGINT')
    expect(await second.ended).toBe(0)
  })

  it('logs one line of JSON per request, without the query string', async () => {
    using made = openInstallation()
    const server = made.entigrid('start', '--port', '0')
    const url = await server.welcomed()

    await request(`${url}/demo/sandbox/dogs?limit=3&x=y`, { headers: { 'x-request-id': 'mine' } })
    server.stop('SIGTERM')
    await server.ended

    const lines = server.said.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.filter(({ msg }) => msg === 'request')).toEqual([
      {
        level: 'info',
        time: expect.any(Number),
        requestId: 'mine',
        method: 'GET',
        path: '/demo/sandbox/dogs',
        status: 200,
        duration: expect.any(Number),
        msg: 'request',
      },
    ])
    expect(lines.map(({ msg }) => msg)).toEqual(['started', 'request', 'stopping', 'stopped'])
  })
})

describe('a start that cannot be', () => {
  it('says on one line that the port is taken, and loses no password by it', async () => {
    using made = openInstallation()
    await using other = await openHttp()

    const failing = made.entigrid('start', '--port', String(other.port))

    expect(await failing.ended).toBe(1)
    expect(failing.said.err).toMatch(/^entigrid: Port \d+ on 127\.0\.0\.1 is taken\.[^\n]*\n$/)
    const next = made.entigrid('start', '--port', '0')
    await next.welcomed()
    expect(next.said.err).toContain('Password ')
  })

  it('says on one line that the folder cannot be written', async () => {
    using made = openInstallation()
    writeFileSync(join(made.folder, 'data'), '')

    const failing = made.entigrid('start', '--port', '0')

    expect(await failing.ended).toBe(1)
    expect(failing.said.err).toMatch(/^entigrid: The database cannot be written at [^\n]*\n$/)
  })
})

describe('the other commands', () => {
  it('print the version, migrate, and make an administrator who can sign in', async () => {
    using made = openInstallation()

    const version = made.entigrid('version')
    expect(await version.ended).toBe(0)
    expect(version.said.out).toMatch(/^\d+\.\d+\.\d+\n$/)

    const migrate = made.entigrid('migrate')
    expect(await migrate.ended).toBe(0)
    expect(migrate.said.out).toContain('is up to date')

    const create = made.entigrid('create-admin', 'ann', 'ann@example.com')
    expect(await create.ended).toBe(0)
    const password = /Password: (\S+)/.exec(create.said.out)![1]!
    const server = made.entigrid('start', '--port', '0')
    const reply = await request(`${await server.welcomed()}/management/token`, {
      method: 'POST',
      body: JSON.stringify({ grant_type: 'password', username: 'ann', password }),
    })
    expect(reply.status).toBe(200)
  })
})
