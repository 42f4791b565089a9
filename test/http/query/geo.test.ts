import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Entity, namesOf, newCollection, sharedApp } from '../../support/app-client.js'

const PLACES = [
  { name: 'berlin', location: { latitude: 52.52, longitude: 13.405 }, people: 3_700_000 },
  { name: 'potsdam', location: { latitude: 52.3906, longitude: 13.0645 }, people: 183_000 },
  { name: 'paris', location: { latitude: 48.8566, longitude: 2.3522 }, people: 2_100_000 },
  { name: 'sydney', location: { latitude: -33.8688, longitude: 151.2093 }, people: 5_300_000 },
  { name: 'quito', location: { latitude: -0.1807, longitude: -78.4678 }, people: 1_900_000 },
  { name: 'atlantis', people: 0 },
  { name: 'nowhere', location: 'on a map', people: 0 },
  { name: 'half', location: { latitude: 52.52 }, people: 0 },
]
/** 4 km from this place: Cupertino. */
const NEAR_CUPERTINO = '37.3236882,-121.9373442'

describe.each(DATABASES)('places on %s', (database) => {
  const app = sharedApp(database)
  let filled: Promise<Entity[]> | undefined
  const places = async () => {
    filled ??= app().create('places', ...PLACES)
    return filled
  }
  const find = async (ql: string) => {
    await places()
    return app().find('/places', ql)
  }

  it.each([
    ['location within 1000 of 52.52,13.405', ['berlin']],
    ['location within 40000 of 52.52, 13.405', ['berlin', 'potsdam']],
    ['location within 40000 of 52.39 , 13.06', ['potsdam', 'berlin']],
    ['location within 900000.5 of 52.52,13.405', ['berlin', 'potsdam', 'paris']],
    ['LOCATION WITHIN 10 OF 52.52,13.405', ['berlin']],
    ['location within 0 of 52.52,13.405', ['berlin']],
    ['location within 5 of 0,0', []],
    ['location within 2147483647 of 0,0', ['paris', 'potsdam', 'berlin', 'quito', 'sydney']],
    ['location within 50000000 of 52.52,13.405', ['berlin', 'potsdam', 'paris', 'quito', 'sydney']],
    ['location within 40000 of 52.52,13.405 and people > 1000000', ['berlin']],
    ['location within 40000 of 52.52,13.405 and not people > 1000000', ['potsdam']],
    ['location within 1000 of 52.52,13.405 or location within 1000 of 48.8566,2.3522', ['berlin', 'paris']],
    ["location within 1000 of 52.52,13.405 or name = 'atlantis'", ['berlin', 'atlantis']],
    [
      'not location within 40000 of 52.52,13.405',
      ['paris', 'quito', 'sydney', 'half', 'nowhere', 'atlantis'],
    ],
    ['location within 900000 of 52.52,13.405 order by location', ['berlin', 'potsdam', 'paris']],
    ['location within 900000 of 52.52,13.405 order by location asc', ['berlin', 'potsdam', 'paris']],
    ['location within 900000 of 52.52,13.405 order by location desc', ['paris', 'potsdam', 'berlin']],
    ['location within 900000 of 52.52,13.405 order by people', ['potsdam', 'paris', 'berlin']],
    ['location within 900000 of 52.52,13.405 order by name desc', ['potsdam', 'paris', 'berlin']],
    ["location = 'on a map'", ['nowhere']],
    ['location.latitude > 48 and location.longitude > 5', ['potsdam', 'berlin']],
  ])('%s', async (ql, names) => {
    expect(await find(ql)).toEqual(names)
  })

  it('tells the distance in metres wherever a query has within', async () => {
    await places()
    const distances = async (ql: string) =>
      Object.fromEntries(
        (await app().get('/places', { ql })).body.entities.map(({ name, metadata }: Entity) => [
          name,
          metadata.distance,
        ]),
      )

    const near = await distances('location within 900000 of 52.52,13.405')
    expect(near).toEqual({
      berlin: 0,
      potsdam: expect.closeTo(27_200, -3),
      paris: expect.closeTo(877_500, -3),
    })
    expect(await distances('location within 900000 of 52.52,13.405 order by people')).toEqual(near)
    expect(await distances('location within 900000 of 52.52,13.405 order by location desc')).toEqual(near)
    expect(await distances('select name where location within 1000 of 52.52,13.405')).toEqual({ berlin: 0 })
    expect(await distances("location within 1000 of 52.52,13.405 or name = 'atlantis'")).toEqual({
      berlin: 0,
      atlantis: undefined,
    })
    expect(await distances("name = 'berlin'")).toEqual({ berlin: undefined })
  })

  it('measures along a sphere with the mean radius of the earth', async () => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), {
      name: 'cupertino',
      location: { latitude: 37.334115, longitude: -121.89434 },
    })

    expect(await app().find(path, `select * where location within 10000 of ${NEAR_CUPERTINO}`)).toEqual([
      'cupertino',
    ])
    const { body } = await app().get(path, { ql: `location within 10000 of ${NEAR_CUPERTINO}` })
    const { distance } = body.entities[0].metadata
    const metres = (inside: boolean) => (inside ? Math.ceil(distance) : Math.floor(distance))
    expect(await app().find(path, `location within ${metres(true)} of ${NEAR_CUPERTINO}`)).toEqual([
      'cupertino',
    ])
    expect(await app().find(path, `location within ${metres(false)} of ${NEAR_CUPERTINO}`)).toEqual([])
    expect(distance).toBeCloseTo(3976, -2)
  })

  it('reaches over the poles and the date line', async () => {
    const path = `/${newCollection()}`
    await app().create(
      path.slice(1),
      { name: 'north', location: { latitude: 90, longitude: 0 } },
      { name: 'near north', location: { latitude: 89.99, longitude: 120 } },
      { name: 'south', location: { latitude: -90, longitude: 50 } },
      { name: 'east', location: { latitude: 0, longitude: 179.999 } },
      { name: 'west', location: { latitude: 0, longitude: -179.999 } },
      { name: 'line', location: { latitude: 0.001, longitude: 180 } },
    )

    expect(await app().find(path, 'location within 2000 of 90,0')).toEqual(['north', 'near north'])
    expect(await app().find(path, 'location within 3000 of 89.99,-60')).toEqual(['north', 'near north'])
    expect(await app().find(path, 'location within 1 of 90,-77')).toEqual(['north'])
    expect(await app().find(path, 'location within 100 of -90,180')).toEqual(['south'])
    expect((await app().find(path, 'location within 500 of 0,180')).sort()).toEqual(['east', 'line', 'west'])
    expect((await app().find(path, 'location within 500 of 0,-180')).sort()).toEqual(['east', 'line', 'west'])
    expect(await app().find(path, 'location within 300 of 0,179.999')).toEqual(['east', 'line', 'west'])
  })

  it('normalises what is called a location, and keeps what else is in it', async () => {
    const path = `/${newCollection()}`
    const bodies = [
      { name: 'short', location: { lat: 1, lon: 2 } },
      { name: 'texts', Location: { LATITUDE: '1.0', Longitude: '2' } },
      { name: 'more', location: { latitude: 1, longitude: 2, elevation: 30 } },
      { name: 'deep', actor: { location: { lat: 1, lon: 2 } } },
      { name: 'exact', home: { latitude: 1, longitude: 2 } },
      { name: 'inexact', home: { latitude: 1, longitude: 2, extra: true } },
      {
        name: 'several',
        location: [
          { lat: 50, lon: 50 },
          { lat: 1, lon: 2 },
        ],
      },
    ]
    const [short, texts, more, deep] = await app().create(path.slice(1), ...bodies)

    expect([short!['location'], texts!['Location']]).toEqual([
      { latitude: 1, longitude: 2 },
      { latitude: 1, longitude: 2 },
    ])
    expect([more!['location'], deep!['actor'].location]).toEqual([
      { latitude: 1, longitude: 2, elevation: 30 },
      { latitude: 1, longitude: 2 },
    ])
    expect(await app().find(path, 'location within 10 of 1,2')).toEqual(['several', 'more', 'texts', 'short'])
    expect(await app().find(path, 'actor.location within 10 of 1,2')).toEqual(['deep'])
    expect(await app().find(path, 'home within 10 of 1,2')).toEqual(['exact'])
    const wrong = await app().post(path, { location: { latitude: 'north', longitude: 2 } })
    expect([wrong.status, wrong.body.error, wrong.body.fields[0].field]).toEqual([
      400,
      'illegal_argument',
      'location.latitude',
    ])
  })

  it('sees moves and removals at once', async () => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), { name: 'a', location: { lat: 1, lon: 1 } })
    const here = () => app().find(path, 'location within 100 of 1,1')

    expect(await here()).toEqual(['a'])
    await app().put(`${path}/a`, { location: { lat: 2, lon: 2 } })
    expect(await here()).toEqual([])
    expect(await app().find(path, 'location within 100 of 2,2')).toEqual(['a'])
    await app().put(`${path}/a`, { location: null })
    expect(await app().find(path, 'location within 50000000 of 2,2')).toEqual([])
    await app().put(`${path}/a`, { location: { lat: 1, lon: 1 } })
    expect(await here()).toEqual(['a'])
    await app().delete(`${path}/a`)
    expect(await here()).toEqual([])
  })

  it.each([
    'location within 50000000 of 10,10',
    'location within 300000 of 10,10',
    'location within 50000000 of 10,10 order by location desc',
    'location within 50000000 of 10,10 order by location, odd desc',
    'location within 50000000 of 10,10 and odd = 1',
    'location within 50000000 of 10,10 or odd = 0',
    'not location within 100000 of 10,10',
    'location within 50000000 of 10,10 order by odd, n desc',
    'location within 50000000 of 10,10 order by odd, location',
    'location within 50000000 of 10,10 order by odd desc, location desc',
  ])('are paged through in order: %s', async (ql) => {
    const path = `/${newCollection()}`
    const bodies = Array.from({ length: 24 }, (_, n) => {
      const location = n % 8 === 7 ? undefined : { lat: 10 + (n % 5), lon: 10 + (n % 6) }
      return { name: `n${n}`, n, odd: n % 2, ...(location === undefined ? {} : { location }) }
    })
    await app().create(path.slice(1), ...bodies)
    const { body } = await app().get(path, { ql, limit: 100 })
    const whole = namesOf(body)
    const distances = body.entities.map(
      ({ metadata }: Entity) => metadata.distance ?? Number.POSITIVE_INFINITY,
    )
    const odds = body.entities.map(({ odd }: Entity) => odd)

    for (const limit of [1, 2, 7]) {
      const pages = await app().pages(path, { ql, limit })
      expect([limit, pages.flat().map(({ name }) => name)]).toEqual([limit, whole])
    }
    const nearest = [...distances].sort((a, b) => a - b)
    if (ql.includes('odd, location')) {
      const [even, uneven] = [0, 1].map((odd) => distances.filter((_: number, i: number) => odds[i] === odd))
      expect([even, uneven]).toEqual([[...even!].sort((a, b) => a - b), [...uneven!].sort((a, b) => a - b)])
    } else if (ql.includes('odd desc, location desc')) {
      const groups = [0, 1].map((odd) => distances.filter((_: number, i: number) => odds[i] === odd))
      expect(groups).toEqual(groups.map((group) => [...group].sort((a, b) => b - a)))
    } else if (!ql.includes('order by')) expect(distances).toEqual(nearest)
    else if (ql.includes('location desc')) expect(distances).toEqual(nearest.reverse())
    else if (ql.includes('order by location')) expect(distances).toEqual(nearest)
  })

  it('are looked for among connections and members, too', async () => {
    const path = `/${newCollection()}`
    const [hub, a, b, c] = await app().create(
      path.slice(1),
      { name: 'hub' },
      { name: 'a', location: { lat: 1, lon: 1 } },
      { name: 'b', location: { lat: 1.001, lon: 1 } },
      { name: 'c', location: { lat: 5, lon: 5 } },
    )
    for (const target of [c, b, a]) await app().post(`${path}/hub/has/${target!.uuid}`)
    await app().post('/users', { username: 'ann' })
    await app().post('/users/ann/devices', { name: 'phone', location: { lat: 1, lon: 1 } })

    for (const list of [`${path}/hub/has`, `${path}/hub/has${path}`, `${path}/hub/connections`]) {
      expect([list, await app().find(list, 'location within 1000 of 1.001,1')]).toEqual([list, ['b', 'a']])
      expect(
        (await app().get(list, { ql: 'location within 1000 of 1.001,1' })).body.entities[0].metadata.distance,
      ).toBe(0)
      const pages = await app().pages(list, { ql: 'location within 50000000 of 1.001,1', limit: 1 })
      expect(pages.flat().map(({ name }) => name)).toEqual(['b', 'a', 'c'])
    }
    expect(await app().find('/users/ann/devices', 'location within 1000 of 1,1')).toEqual(['phone'])
    expect(hub).not.toHaveProperty('location')
  })
})
