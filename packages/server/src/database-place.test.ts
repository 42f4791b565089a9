import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { placeOf, prepareFolder, secretOf } from './database-place.js'

const openFolder = () => {
  const path = mkdtempSync(join(tmpdir(), 'entigrid-place-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

describe('placeOf', () => {
  it.each([
    ['sqlite:./data/x.db', 'file', '/srv/data/x.db'],
    ['sqlite:/var/x.db', 'file', '/var/x.db'],
    ['sqlite:///var/x.db', 'file', '/var/x.db'],
    ['sqlite::memory:', 'memory', 'memory'],
    ['postgres://ann:p%40ss@db:5432/x', 'server', 'postgres://ann:***@db:5432/x'],
    ['postgresql://db/x', 'server', 'postgresql://db/x'],
  ])('knows where %s is', (url, kind, shown) => {
    expect(placeOf(url, '/srv')).toEqual({ kind, shown })
  })
})

describe('prepareFolder', () => {
  it('makes the folder, for its owner alone', () => {
    using folder = openFolder()

    prepareFolder(placeOf('sqlite:a/b/x.db', folder.path))

    expect(statSync(join(folder.path, 'a/b')).mode & 0o777).toBe(0o700)
  })

  it('says what to do when that cannot be', () => {
    using folder = openFolder()
    writeFileSync(join(folder.path, 'file'), '')

    expect(() => prepareFolder(placeOf('sqlite:file/x.db', folder.path))).toThrow(
      /^The database cannot be written at .*x\.db \(E\w+\)\. Allow it, or choose another place with --database-url$/,
    )
  })
})

describe('secretOf', () => {
  it('is the configured one, and leaves no file', () => {
    using folder = openFolder()
    const place = placeOf('sqlite:x.db', folder.path)

    expect(secretOf('given', place)).toBe('given')
    expect(() => statSync(`${place.shown}.secret`)).toThrow('ENOENT')
  })

  it('is made once and kept beside the database, readable by its owner alone', () => {
    using folder = openFolder()
    const place = placeOf('sqlite:x.db', folder.path)

    const secret = secretOf(undefined, place)

    expect(secret).toMatch(/^[\da-f]{64}$/)
    expect(secretOf(undefined, place)).toBe(secret)
    expect(readFileSync(`${place.shown}.secret`, 'utf8')).toBe(`${secret}\n`)
    expect(statSync(`${place.shown}.secret`).mode & 0o777).toBe(0o600)
  })

  it('is not replaced when its file has been damaged', () => {
    using folder = openFolder()
    const place = placeOf('sqlite:x.db', folder.path)
    secretOf(undefined, place)
    chmodSync(`${place.shown}.secret`, 0o600)
    writeFileSync(`${place.shown}.secret`, '')

    expect(() => secretOf(undefined, place)).toThrow(
      'holds no secret of 32 characters. Restore it from a backup',
    )
  })

  it('is new each time in memory, and must be given for a server', () => {
    const memory = placeOf('sqlite::memory:', '/')

    expect(secretOf(undefined, memory)).not.toBe(secretOf(undefined, memory))
    expect(() => secretOf(undefined, placeOf('postgres://h/x', '/'))).toThrow(
      'ENTIGRID_SECRET must be set when the database is PostgreSQL',
    )
  })
})
