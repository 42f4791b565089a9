import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { namesOf, newCollection, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('the query of a request on %s', (database) => {
  const app = sharedApp(database)

  const dogs = async () => {
    const path = `/${newCollection()}`
    await app().create(
      path.slice(1),
      { name: 'rex', age: 3 },
      { name: 'fido', age: 5 },
      { name: 'bello', age: 7 },
    )
    return path
  }

  it.each([
    ['?ql=age = 3&q=age = 5&query=age = 7', ['rex']],
    ['?q=age = 5&ql=age = 3', ['rex']],
    ['?q=age = 5&query=age = 7', ['fido']],
    ['?query=age = 7', ['bello']],
    ['?filter=age = 7', ['bello', 'fido', 'rex']],
    ['?start=x&reversed=true', ['bello', 'fido', 'rex']],
    ['?ql=', ['bello', 'fido', 'rex']],
    ['?ql=%20%20', ['bello', 'fido', 'rex']],
    ['?', ['bello', 'fido', 'rex']],
    [';ql=select * where age = 5', ['fido']],
    [';ql=age > 3;limit=1', ['bello']],
    ['/all', ['bello', 'fido', 'rex']],
    [`/${encodeURIComponent('{"ql":"age < 5"}')}`, ['rex']],
  ])('is read from %s', async (address, names) => {
    const path = await dogs()

    const { status, body } = await app().get(path + address)

    expect(status).toBe(200)
    expect(namesOf(body)).toEqual(names)
  })

  it.each([
    'select * where age = 5',
    'SELECT * WHERE AGE = 5',
    '  select  *  where  age=5  ',
    'where age = 5',
    'age = 5',
    'select * age = 5',
    'select uuid, name where age = 5',
    'select name age = 5',
    "NAME = 'FIDO'",
    'age eq 5',
    'order by age asc',
    'where age > 3 order by age',
  ])('may be written as %s', async (ql) => {
    const path = await dogs()

    const [first] = await app().find(path, ql)

    expect(first).toBe(ql.startsWith('order') ? 'rex' : 'fido')
  })

  it('is decoded a second time, plus signs aside', async () => {
    const collection = newCollection()
    await app().create(
      collection,
      { name: 'a', email: 'ed+test@x.org' },
      { name: 'b', email: '100% sure %zz' },
    )
    const find = async (search: string) => namesOf((await app().get(`/${collection}?ql=${search}`)).body)

    expect(await find(`email%3D'ed%2Btest@x.org'`)).toEqual(['a'])
    expect(await find(`email%3D'ed%252Btest@x.org'`)).toEqual(['a'])
    expect(await find(encodeURIComponent(encodeURIComponent(`email = 'ed+test@x.org'`)))).toEqual(['a'])
    expect(await find(encodeURIComponent(`email = '100% sure %zz'`))).toEqual(['b'])
  })

  it('is echoed as it came', async () => {
    const path = await dogs()

    const { body } = await app().get(`${path}?ql=age%20%3D%205&limit=2&limit=7`)

    expect(body.params).toEqual({ ql: ['age = 5'], limit: ['2', '7'] })
    expect(body.count).toBe(1)
  })

  it('counts the page of a root collection, and of nothing else', async () => {
    const path = await dogs()
    const [rex, fido] = (await app().get(path, { ql: 'order by age' })).body.entities
    await app().post(`${path}/${rex.uuid}/likes/${fido.uuid}`)

    expect((await app().get(path, { ql: 'age > 3' })).body.count).toBe(2)
    expect((await app().get(path, { ql: 'age > 30' })).body.count).toBe(0)
    expect((await app().get(path, { limit: 2 })).body.count).toBe(2)
    expect((await app().get(`${path}/rex`)).body).not.toHaveProperty('count')
    expect((await app().get(`${path}/rex/likes`)).body).not.toHaveProperty('count')
    expect((await app().get(`${path};ql=age > 3`)).body).not.toHaveProperty('count')
  })

  it('finds nothing in a collection that never was', async () => {
    const { status, body } = await app().get('/unicorns', { ql: "where colour = 'white' order by name" })

    expect(status).toBe(200)
    expect(body).toMatchObject({ action: 'get', path: '/unicorns', entities: [], count: 0 })
    expect(body).not.toHaveProperty('cursor')
  })

  it('sees at once what was written, changed and removed', async () => {
    const path = await dogs()

    const [rex] = (await app().get(path, { ql: 'age = 3' })).body.entities
    await app().put(`${path}/${rex.uuid}`, { age: 30 })
    expect(await app().find(path, 'age = 30')).toEqual(['rex'])
    expect(await app().find(path, 'age = 3')).toEqual([])
    await app().put(`${path}/${rex.uuid}`, { age: null })
    expect(await app().find(path, 'age = 30')).toEqual([])
    await app().delete(`${path}/fido`)
    expect(await app().find(path, 'age = 5')).toEqual([])
  })
})
