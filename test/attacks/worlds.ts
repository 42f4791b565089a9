import type { Ask, Asker, Kind, Thing, Verb, World } from './model.js'
import type { Random } from './random.js'

const VERBS: Verb[] = ['get', 'post', 'put', 'delete']
const COLLECTIONS: Kind[] = ['users', 'groups', 'roles', 'dogs', 'cats', 'devices']
const HOLDERS: Kind[] = ['users', 'groups', 'roles']

/** A random application: who is there, what they may do, and what hangs together. */
export const randomWorld = (random: Random): World => {
  const make = (collection: Kind, names: string[], strings = 0): Thing[] =>
    names.map((name) => ({ collection, name, uuid: '', strings: strings === 0 ? [] : randomStrings(random) }))
  const users = make('users', ['ann', 'Bob', 'cy'], 2)
  const groups = make('groups', ['staff', 'team/a'], 2)
  const roles = make('roles', ['editor', ...random.some(['default', 'guest'], 0.9)], 2)
  const pets = [...make('dogs', ['rex', 'Fido']), ...make('cats', ['tom'])]
  const devices = make('devices', ['phone'])
  const pairs = <A, B>(from: A[], to: B[], probability: number): [A, B][] =>
    random.some(
      from.flatMap((a) => to.map((b): [A, B] => [a, b])),
      probability,
    )
  const links = (from: Thing[], verb: string, to: Thing[]): [Thing, string, Thing][] =>
    pairs(from, to, 0.2).map(([a, b]) => [a, verb, b])
  return {
    things: [...users, ...groups, ...roles, ...pets, ...devices],
    members: pairs(groups, users, 0.3),
    assigned: pairs(roles.slice(0, 1), [...users, ...groups], 0.25),
    links: [
      ...links([...users, ...pets], 'likes', [...users, ...pets, groups[0]!]),
      ...links(users, 'following', users),
      // A device is one user's at a time.
      ...links(users, 'devices', devices).slice(0, 1),
    ],
  }
}

const PATHS =
  `dogs dogs/rex dogs/fido dogs/rex/likes dogs/rex/likes/tom dogs/rex/likes/cats/tom dogs/rex/connecting/likes cats/tom
  cats users users/ann users/me users/bob/likes/dogs/rex users/me/likes users/me/likes/dogs users/ann/following/bob
  users/ann/followers/users/bob users/me/devices/phone users/me/groups/staff users/ann/permissions users/all/likes groups/staff
  groups/staff/users/ann groups/staff/users/me groups/staff/roles/editor groups/staff/permissions roles roles/editor
  roles/editor/users/ann roles/editor/permissions devices devices/phone`.split(/\s+/)
// biome-ignore lint/suspicious/noTemplateCurlyInString: the variable of permission strings.
const WILD = ['*', '*', '**', '${user}', 'me', '?*', '*o*', 'r?x']

const randomStrings = (random: Random): string[] => random.list(3, () => randomString(random))

/** A string for something that can be asked, with some of its words made wider or wrong. */
const randomString = (random: Random): string => {
  const path = (): string => {
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
  return `${verbs}${path()}${random.chance(0.15) ? `,${path()}` : ''}`
}

export const randomAsk = (random: Random, world: World): Ask => {
  const verb = random.pick(VERBS)
  const of = (...kinds: Kind[]): Thing =>
    random.pick(world.things.filter(({ collection }) => kinds.includes(collection)))
  const ways: (() => Ask)[] = [
    () => ({ kind: 'collection', verb, collection: random.pick(COLLECTIONS) }),
    () => ({ kind: 'entity', verb, entity: of(...COLLECTIONS) }),
    () => ({ kind: 'entity', verb, entity: of('users', 'dogs') }),
    () => ({ kind: 'strings', verb, entity: of(...HOLDERS) }),
    () => ({
      kind: 'list',
      verb: 'get',
      from: of('users', 'dogs', 'cats'),
      word: 'likes',
      incoming: random.chance(0.3),
      type: random.pick([null, 'dogs']),
    }),
    () => ({ kind: 'list', verb: 'get', ...random.pick(SUB_LISTS(of)), incoming: false, type: null }),
    () => ({ kind: 'through', verb: 'get', collection: random.pick(['users', 'dogs']), word: 'likes' }),
    () =>
      link(random, verb, {
        from: of('users', 'dogs', 'cats'),
        word: 'likes',
        to: of('users', 'dogs', 'cats', 'groups'),
      }),
    () =>
      link(random, verb, {
        from: of('users', 'dogs', 'cats'),
        word: random.pick(['likes', 'owns']),
        to: of('users', 'dogs', 'cats', 'groups'),
      }),
    () => link(random, verb, random.pick(SUB_LINKS(of))),
    () => link(random, verb, random.pick(SUB_LINKS(of))),
  ]
  return random.pick(ways)()
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
const link = (random: Random, verb: Verb, ends: { from: Thing; word: string; to: Thing }): Ask => {
  const isSub = ends.word !== 'likes' && ends.word !== 'owns'
  const typed = random.chance(0.5)
  return { kind: 'link', verb, ...ends, typed, named: (typed || isSub) && random.chance(0.6) }
}

export const randomAsker = (random: Random, world: World): Asker =>
  random.chance(0.2) ? null : random.pick(world.things.filter(({ collection }) => collection === 'users'))
