import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS } from '@entigrid/core'
import { describe, expect, it } from 'vitest'
import { readConfig } from './config.js'
import { limitsIn, limitsTable, settingsHelp, settingsTable } from './settings.js'

/** A folder of its own, with a configuration file in it if one is given. */
const openFolder = (file?: unknown, name = 'entigrid.config.json') => {
  const folder = mkdtempSync(join(tmpdir(), 'entigrid-config-'))
  if (file !== undefined)
    writeFileSync(join(folder, name), typeof file === 'string' ? file : JSON.stringify(file))
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

describe('readConfig', () => {
  it('has defaults for everything', () => {
    using empty = openFolder()

    const config = readConfig({ flags: {}, env: { PORT: '' }, folder: empty.folder })

    expect(limitsIn(config)).toEqual(DEFAULT_LIMITS)
    expect(Object.fromEntries(Object.entries(config).filter(([key]) => !key.startsWith('limits.')))).toEqual({
      port: 8080,
      host: '127.0.0.1',
      databaseUrl: 'sqlite:./data/entigrid.db',
      adminUsername: undefined,
      adminPassword: undefined,
      secret: undefined,
      publicUrl: undefined,
      compatibility: undefined,
      signing: 'HS256',
      sysadmins: 'anywhere',
      passwordPolicy: undefined,
      adminPasswordPolicy: undefined,
      logLevel: 'info',
      trustProxy: false,
      allowPrivateNetworks: false,
      'rates.address': 60_000,
      'rates.principal': 12_000,
      mail: 'console',
      mailFrom: undefined,
      sysadminEmail: undefined,
      captcha: undefined,
      captchaSiteKey: undefined,
      captchaSecret: undefined,
      'registration.open': true,
      'registration.confirmAdmins': false,
      'registration.confirmOrganizations': false,
      'registration.approveAdmins': false,
      'registration.approveOrganizations': false,
      'registration.notifyOfActivation': true,
      'registration.notifyOfNewAdmins': false,
      'registration.notifyOfNewOrganizations': false,
    })
  })

  it('takes flags before environment before file', () => {
    using made = openFolder({ port: 1, host: 'file', logLevel: 'warn', trustProxy: true })

    const config = readConfig({ flags: { port: '3' }, env: { PORT: '2', HOST: 'env' }, folder: made.folder })

    expect(config).toMatchObject({ port: 3, host: 'env', logLevel: 'warn', trustProxy: true })
  })

  it('reads the file that --config names, in place of the usual one', () => {
    using made = openFolder({ port: 1 }, 'other.json')

    expect(readConfig({ flags: { config: 'other.json' }, env: {}, folder: made.folder }).port).toBe(1)
    expect(readConfig({ flags: {}, env: {}, folder: made.folder }).port).toBe(8080)
    expect(() => readConfig({ flags: { config: 'none.json' }, env: {}, folder: made.folder })).toThrow(
      'The configuration file none.json cannot be read (ENOENT)',
    )
  })

  it.each([
    [{ port: 'x' }, {}, '--port must be a whole number from 0 to 65535, not "x"'],
    [{}, { PORT: '70000' }, 'PORT must be a whole number from 0 to 65535, not "70000"'],
    [{}, { ENTIGRID_DATABASE_URL: 'mysql://u:pw@h' }, /^ENTIGRID_DATABASE_URL must be sqlite:PATH, [^,]+$/],
    [{}, { ENTIGRID_SECRET: 'hunter2' }, /^ENTIGRID_SECRET must be at least 32 characters of random text$/],
    [
      {},
      { ENTIGRID_PUBLIC_URL: 'api.test' },
      'ENTIGRID_PUBLIC_URL must be an http or https URL without a query, not "api.test"',
    ],
    [{ compat: 'parse' }, {}, '--compat must be one of usergrid, not "parse"'],
    [{}, { ENTIGRID_LOG_LEVEL: 'loud' }, /^ENTIGRID_LOG_LEVEL must be one of trace, .*, not "loud"$/],
    [{}, { ENTIGRID_TRUST_PROXY: 'maybe' }, 'ENTIGRID_TRUST_PROXY must be true or false, not "maybe"'],
  ])('names the key that is wrong in %j %j', (flags, env, message) => {
    using empty = openFolder()

    expect(() =>
      readConfig({
        flags: flags as Record<string, string>,
        env: env as Record<string, string>,
        folder: empty.folder,
      }),
    ).toThrow(message)
  })

  it.each([
    ['{"port":', /^The configuration file entigrid.config.json is not valid JSON: /],
    ['[]', 'The configuration file entigrid.config.json must hold a JSON object'],
    [{ prot: 1 }, /^"prot" in entigrid.config.json is not a setting; there are port, host, /],
    [{ port: 'x' }, '"port" in entigrid.config.json must be a whole number from 0 to 65535, not "x"'],
    [{ port: [1] }, '"port" in entigrid.config.json must be a single value'],
  ])('refuses the file %j', (file, message) => {
    using made = openFolder(file)

    expect(() => readConfig({ flags: {}, env: {}, folder: made.folder })).toThrow(message)
  })
})

/** The formatter lines up the columns of tables. */
const withoutPadding = (text: string): string => text.replaceAll(/ *\| */g, '|').replaceAll(/-{3,}/g, '---')

describe('the documentation', () => {
  it('has the table of all settings', () => {
    const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')

    expect(withoutPadding(page)).toContain(withoutPadding(settingsTable()))
  })

  it('has the table of all limits', () => {
    const page = readFileSync(new URL('../../../docs/limits.md', import.meta.url), 'utf8')

    expect(withoutPadding(page)).toContain(withoutPadding(limitsTable()))
  })

  it('names every setting in the help', () => {
    for (const name of [
      '--port',
      'PORT',
      'HOST',
      'ENTIGRID_DATABASE_URL',
      'ENTIGRID_TRUST_PROXY',
      '--compat usergrid',
      '(default 8080)',
      '--limit-batch-entities (default 1000)',
    ])
      expect(settingsHelp()).toContain(name)
  })
})
