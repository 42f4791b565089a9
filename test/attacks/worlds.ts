import {
  type Ask,
  type Asker,
  HOLDERS,
  type Kind,
  type Thing,
  type Values,
  type Verb,
  type World,
} from './model.js'
import type { Random } from './random.js'

const VERBS: Verb[] = ['get', 'post', 'put', 'delete']
const COLLECTIONS: Kind[] = ['users', 'groups', 'roles', 'dogs', 'cats', 'devices']

/** A random application: who is there, what they may do, and what hangs together. */
export const randomWorld = (random: Random): World => {
  const make = (collection: Kind, names: string[], strings = 0): Thing[] =>
    names.map((name) => ({
      collection,
      name,
      uuid: randomUuid(random),
      strings: strings === 0 ? [] : randomStrings(random),
      values: {},
    }))
  const users = make('users', ['ann', 'Bob', 'cy'], 2)
  const groups = make('groups', ['staff', 'team/a'], 2)
  const roles = make('roles', ['editor', ...random.some(['default', 'guest'], 0.9)], 2)
  const pets = [...make('dogs', ['rex', 'Fido']), ...make('cats', ['tom'])]
  const devices = make('devices', ['phone'])
  const things = [...users, ...groups, ...roles, ...pets, ...devices]
  for (const thing of things) thing.values = { code: random.pick(CODES), ...randomValues(random, users) }
  const pairs = <A, B>(from: A[], to: B[], probability: number): [A, B][] =>
    random.some(
      from.flatMap((a) => to.map((b): [A, B] => [a, b])),
      probability,
    )
  const links = (from: Thing[], verb: string, to: Thing[]): [Thing, string, Thing][] =>
    pairs(from, to, 0.2).map(([a, b]) => [a, verb, b])
  return {
    things,
    members: pairs(groups, users, 0.3),
    assigned: pairs(roles.slice(0, 1), [...users, ...groups], 0.25),
    links: [
      ...links([...users, ...pets], 'likes', [...users, ...pets, groups[0]!]),
      ...links(users, 'following', users),
      // A device is one user's at a time.
      ...links(users, 'devices', devices).slice(0, 1),
    ],
    hidden: random.some(COLLECTIONS, 0.3),
    unindexed: random.some(COLLECTIONS, 0.2),
  }
}

const randomUuid = (random: Random): string =>
  'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => random.below(16).toString(16))

/** As the paths of strings are about few things, so that they meet. */
const randomValues = (random: Random, users: Thing[]): Values => {
  const [{ name, uuid }, other] = [random.pick(users), random.pick(users)]
  return {
    ...random.pick([
      {},
      { owner: name },
      { owner: name.toUpperCase() },
      { owner: uuid },
      { owner: [name, other.uuid] },
    ]),
    ...random.pick([{}, { level: 1 }, { level: 2 }]),
  }
}

/** What an update changes, which may be nothing that matters. */
const randomChange = (random: Random, { things }: World): Values => {
  if (random.chance(0.4)) return {}
  const users = things.filter(({ collection }) => collection === 'users')
  const fixed = random.pick([{}, { owner: null }, { level: null }, { code: random.pick(CODES) }])
  return { ...fixed, ...randomValues(random, users) }
}

const CODES = ['red', 'blue']
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: variables of permission strings.
const FILTERS = [
  ...[
    'owner = ${user}',
    'owner = ${user}',
    "owner = '${user.uuid}'",
    'owner = ${user.username}',
    'not owner = ${user}',
  ],
  ...['level > 1', 'not level = 2', "code = 'red'", "not code = 'red'", 'name = ${user}', 'uuid = ${user}'],
  ...['level = 2 or owner = ${user}', "owner = ${user} and code = 'blue'"],
]
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: variables of permission strings.
const QUERIES = [
  'level > 1',
  'not level = 2',
  "code = 'red'",
  "not code = 'red'",
  "level = 1 or code = 'blue'",
]

const randomQuery = (random: Random, { things }: World): string => {
  if (random.chance(0.5)) return ''
  return random.pick([
    ...QUERIES,
    "owner = 'ann'",
    'order by code',
    `direct ${
      random
        .some(things, 0.5)
        .map(({ uuid }) => uuid)
        .join(', ') || 'none'
    }`,
  ])
}

const PATHS =
  `dogs dogs/rex dogs/fido dogs/rex/likes dogs/rex/likes/tom dogs/rex/likes/cats/tom dogs/rex/connecting/likes cats/tom
  cats users users/ann users/me users/bob/likes/dogs/rex users/me/likes users/me/likes/dogs users/ann/following/bob
  users/ann/followers/users/bob users/me/devices/phone users/me/groups/staff users/ann/permissions users/all/likes groups/staff
  groups/staff/users/ann groups/staff/users/me groups/staff/roles/editor groups/staff/permissions roles roles/editor
  roles/editor/users/ann roles/editor/permissions devices devices/phone`.split(/\s+/)
// biome-ignore lint/suspicious/noTemplateCurlyInString: the variable of permission strings.
const WILD = ['*', '*', '**', '${user}', 'me', '?*', '*o*', 'r?x']

const WIDE = ['/**', '/users/**', '/dogs/**', '/*/*', '/*/*/**', '/*/*/likes/**']

const randomStrings = (random: Random): string[] => random.list(3, () => randomString(random))

/** A string for something that can be asked, with some of its words made wider or wrong. */
const randomString = (random: Random): string => {
  const filter = random.chance(0.45) ? ` where ${random.pick(FILTERS)}` : ''
  const path = (): string => {
    // What a filter decides must be reached first.
    if (filter !== '' && random.chance(0.4)) return random.pick(WIDE)
    const words = random.pick(PATHS).split('/')
    const wild = words.map((word) => (random.chance(0.35) ? random.pick(WILD) : word))
    const kept = wild.slice(0, random.chance(0.15) ? -1 : undefined)
    return kept.length === 0
      ? '*'
      : `${random.pick(['', '/', '/'])}${kept.join('/')}${random.pick(['', '', '', '/**', '/'])}`
  }
  const verbs = random.chance(0.2)
    ? random.pick(['', '*:', ':'])
    : `${random.some(VERBS, 0.5).join(', ') || 'GET'}:`
  return `${verbs}${path()}${random.chance(0.15) ? `,${path()}` : ''}${filter}`
}

export const randomAsk = (random: Random, world: World): Ask => {
  const verb = random.pick(VERBS)
  const of = (...kinds: Kind[]): Thing =>
    random.pick(world.things.filter(({ collection }) => kinds.includes(collection)))
  const values = randomChange(random, world)
  const ql = randomQuery(random, world)
  const renaming = random.chance(0.15) ? { ...values, name: random.pick(['ann', 'Bob']) } : values
  const liking = likingOf(random, world, of)
  const ways: (() => Ask)[] = [
    () => collectionAsk(random, { verb, values, ql }),
    () => collectionAsk(random, { verb: random.pick(['get', 'post']), values, ql }),
    () => ({ kind: 'entity', verb, entity: of(...COLLECTIONS), values: renaming }),
    () => ({ kind: 'entity', verb, entity: of('users', 'dogs'), values: renaming }),
    () => ({ kind: 'strings', verb, entity: of(...HOLDERS) }),
    () => addressAsk(random, world, verb),
    () => ({
      ...{ kind: 'list', verb: 'get', start: liking.start, from: liking.from, word: 'likes', ql },
      ...{ incoming: random.chance(0.3), type: random.pick([null, 'dogs']) },
    }),
    () => ({
      ...{ kind: 'list', verb: 'get', start: null, ...random.pick(SUB_LISTS(of)), ql },
      ...{ incoming: false, type: null },
    }),
    () => ({
      kind: 'through',
      verb: 'get',
      collection: random.pick(['users', 'dogs']),
      startQl: random.chance(0.3) ? ql : '',
      word: 'likes',
      ql: random.chance(0.5) ? '' : randomQuery(random, world),
    }),
    () => madeAsk(random, of, values),
    () => link(random, verb, { ...liking, word: 'likes', values: renaming }),
    () => link(random, verb, { ...liking, word: random.pick(['likes', 'owns']), values: renaming }),
    () => link(random, verb, { ...random.pick(SUB_LINKS(of)), start: null, values: renaming }),
    () => link(random, verb, { ...random.pick(SUB_LINKS(of)), start: null, values: renaming }),
  ]
  return random.pick(ways)()
}

/** The ends of a connection, which is often there; now and then behind another one, which mostly leads to it. */
const likingOf = (random: Random, { links }: World, of: Of) => {
  const ends = { from: of('users', 'dogs', 'cats'), to: of('users', 'dogs', 'cats', 'groups') }
  const likes = links.filter(([, verb]) => verb === 'likes')
  const steps = likes.filter(([, , { collection }]) => collection !== 'groups')
  if (likes.length > 0 && random.chance(0.4)) [ends.from, , ends.to] = random.pick(likes)
  if (steps.length === 0 || random.chance(0.7)) return { ...ends, start: null }
  const [root, by, to] = random.pick(steps)
  return { start: { root, by }, from: random.chance(0.8) ? to : ends.from, to: ends.to }
}

const collectionAsk = (
  random: Random,
  { verb, values, ql }: { verb: Verb; values: Values; ql: string },
): Ask => {
  const collection = random.pick(COLLECTIONS)
  // What else hangs on a user, group or role is not made again.
  const isKept = verb === 'delete' && HOLDERS.includes(collection)
  const isAll = verb !== 'get' && (ql === '' || ql.startsWith('order by'))
  return {
    ...{ kind: 'collection', verb, collection },
    values: verb === 'post' ? { code: random.pick(CODES), ...values } : values,
    ql: verb === 'post' ? '' : isKept ? 'level > 7' : isAll ? 'not level = 7' : ql,
  }
}

const addressAsk = (random: Random, { things, hidden }: World, verb: Verb): Ask => {
  const user = random.pick(things.filter(({ collection }) => collection === 'users'))
  return hidden.includes('users')
    ? { kind: 'address', verb, user }
    : { kind: 'analysis', verb: 'get', collection: random.pick(COLLECTIONS) }
}

const madeAsk = (random: Random, of: Of, values: Values): Ask => {
  const likes = {
    ...{ from: of('users', 'dogs'), word: 'likes' },
    ...{ collection: random.pick(COLLECTIONS), typed: true },
  }
  const { from, word, to } = random.pick(SUB_LINKS(of))
  const ends = random.chance(0.5) ? likes : { from, word, collection: to.collection, typed: false }
  return { kind: 'made', verb: 'post', ...ends, values: { code: random.pick(CODES), ...values } }
}

type Of = (...kinds: Kind[]) => Thing

const SUB_LISTS = (of: Of): { from: Thing; word: string }[] => [
  ...['groups', 'roles', 'following', 'followers', 'devices'].map((word) => ({ from: of('users'), word })),
  ...['users', 'roles'].map((word) => ({ from: of('groups'), word })),
  ...['users', 'groups'].map((word) => ({ from: of('roles'), word })),
]

const SUB_LINKS = (of: Of): { from: Thing; word: string; to: Thing }[] =>
  SUB_LISTS(of).map(({ from, word }) => ({
    from,
    word,
    to: of((['following', 'followers'].includes(word) ? 'users' : word) as Kind),
  }))

/** An untyped far end is known by its uuid alone, but behind the words of sub-collections. */
const link = (
  random: Random,
  verb: Verb,
  ends: Pick<Extract<Ask, { kind: 'link' }>, 'start' | 'from' | 'word' | 'to' | 'values'>,
): Ask => {
  const isSub = ends.word !== 'likes' && ends.word !== 'owns'
  const typed = random.chance(0.5)
  return { kind: 'link', verb, ...ends, typed, named: (typed || isSub) && random.chance(0.6) }
}

export const randomAsker = (random: Random, world: World): Asker =>
  random.chance(0.2) ? null : random.pick(world.things.filter(({ collection }) => collection === 'users'))
