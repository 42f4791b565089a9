/**
 * Who may do what, once more: written from docs/identity.md, by enumerating every way to write a path, with no code
 * of the engine. It is slow and short, and the engine must agree with it.
 */

import { holds, isAsked } from './conditions.js'

export type Verb = 'get' | 'post' | 'put' | 'delete'
export type Kind = 'users' | 'groups' | 'roles' | 'dogs' | 'cats' | 'devices'

export interface Thing {
  collection: Kind
  uuid: string
  name: string
  /** Permission strings of users, groups and roles. */
  strings: string[]
  values: Values
}

/** What filters ask about: an owner is a username or uuid, or several; `code` is hidden from users in some worlds. */
export interface Values {
  owner?: string | string[] | null
  level?: number | null
  code?: string
  /** A new one. */
  name?: string
}

export interface World {
  things: Thing[]
  /** `[group, user]` */
  members: [Thing, Thing][]
  /** `[role, user or group]` */
  assigned: [Thing, Thing][]
  /** `[from, verb, to]`, also of `following` and `devices`. */
  links: [Thing, string, Thing][]
  /** Collections in which `code` is hidden, of users the e-mail address, too. */
  hidden: Kind[]
  /** Collections of which queries know nothing. */
  unindexed: Kind[]
  /** To see what filters of strings are good for: as if there were no such strings, or nothing behind their "where". */
  filters?: 'without' | 'ignored'
}

/** `null` for a guest. */
export type Asker = Thing | null

/** A path to the entity at which another one starts: `/users/ann/likes/dogs/rex` before `/likes/cats/tom`. */
type Start = { root: Thing; by: string } | null

export type Ask =
  /** Without a query, `post` makes one with these values; `put` gives them to what the query finds. */
  | { kind: 'collection'; verb: Verb; collection: Kind; ql: string; values: Values }
  | { kind: 'entity'; verb: Verb; entity: Thing; values: Values }
  | { kind: 'strings'; verb: Verb; entity: Thing }
  /** What would be slow about reading a collection. */
  | { kind: 'analysis'; verb: 'get'; collection: Kind }
  /** By an address that is hidden. */
  | { kind: 'address'; verb: Verb; user: Thing }
  | {
      kind: 'list'
      verb: 'get'
      start: Start
      from: Thing
      word: string
      incoming: boolean
      type: Kind | null
      ql: string
    }
  /** From every entity of a collection, or from those that a query finds. */
  | { kind: 'through'; verb: 'get'; collection: Kind; startQl: string; word: string; ql: string }
  /** A new one at the end of a connection; behind the words of sub-collections its type is not named. */
  | {
      kind: 'made'
      verb: 'post'
      from: Thing
      word: string
      collection: Kind
      typed: boolean
      values: Values
    }
  /** `typed` where the path names the collection of the far end, `named` where it is named there. */
  | {
      kind: 'link'
      verb: Verb
      start: Start
      from: Thing
      word: string
      to: Thing
      typed: boolean
      named: boolean
      values: Values
    }

export type Verdict = 'allowed' | 'unauthorized' | 'missing'

/** The words behind an entity that are lists of their own: of what, decided about by whom, and with which rights. */
const SUBS: Partial<Record<Kind, Record<string, { of: Kind; decidedAs?: string; gives?: 'put' }>>> = {
  users: {
    groups: { of: 'groups', decidedAs: 'users' },
    roles: { of: 'roles', decidedAs: 'users' },
    following: { of: 'users' },
    followers: { of: 'users', decidedAs: 'following' },
    devices: { of: 'devices', gives: 'put' },
  },
  groups: { users: { of: 'users' }, roles: { of: 'roles', decidedAs: 'groups' } },
  roles: { users: { of: 'users' }, groups: { of: 'groups' } },
}

/** To make one of these by way of a connection takes the right to make one. */
export const HOLDERS: Kind[] = ['users', 'groups', 'roles']

/** Words that a permission string must write out to change what they stand for. */
const WRITTEN_OUT = ['roles', 'rolenames', 'permissions', 'credentials']

/** A step of a path: a word of the protocol, or all names of an entity; `''` among them where it may be left out. */
type Step = { word: string } | { any: string[] }

export const decide = (world: World, asker: Asker, ask: Ask): Verdict => {
  const { may, mayRead, verdict } = rightsOf(world, asker)
  /** Of what could not be reached, whoever may read it is told so. */
  const refused = (thing: Thing): Verdict => (mayRead(thing) ? 'unauthorized' : 'missing')
  switch (ask.kind) {
    case 'collection': {
      const { verb, collection, values } = ask
      const path = [{ word: collection }]
      if (verb === 'post') return verdict(may(verb, path, made(collection, values)))
      if (verb !== 'put' || !may(verb, path, 'some')) return verdict(may(verb, path, 'some'))
      return verdict(
        shown(world, asker, ask).every((thing) => may(verb, path, { ...thing, values: changed(thing, ask) })),
      )
    }
    case 'entity': {
      const { verb, entity } = ask
      const path = own(entity, asker)
      if (verb === 'get' && entity === asker) return 'allowed'
      if (!may(verb, path, 'some')) return 'unauthorized'
      if (!may(verb, path, entity)) return refused(entity)
      return verdict(verb !== 'put' || may(verb, path, { ...entity, values: changed(entity, ask) }))
    }
    case 'address':
      return may(ask.verb, [{ word: 'users' }, { any: [addressOf(ask.user)] }], 'some')
        ? 'missing'
        : 'unauthorized'
    case 'strings':
      return verdict(may(ask.verb, [...own(ask.entity, asker), { word: 'permissions' }], 'all'))
    case 'analysis':
      return verdict(may('get', [{ word: ask.collection }], 'all'))
    case 'through':
      return verdict(may('get', listPath(ask, asker), 'some'))
    case 'list': {
      const path = listPath(ask, asker)
      if (!may('get', path, 'some')) return 'unauthorized'
      return leadsOn(world, asker, ask, path) ? 'allowed' : 'missing'
    }
    case 'made': {
      const { verb, from, word, collection, values } = ask
      const path = [...own(from, asker), { word }, { any: [collection, ''] }]
      const makesHolder = HOLDERS.includes(collection)
      if (!may(verb, path, 'some')) return 'unauthorized'
      if (!leadsOn(world, asker, { ...ask, start: null }, path)) return 'missing'
      const thing = made(collection, values)
      return verdict(may(verb, path, thing) && (!makesHolder || may(verb, [{ word: collection }], thing)))
    }
  }
  const { verb, start, from, word, to, typed, named } = ask
  const sub = SUBS[from.collection]?.[word]
  const far: Step[] = [
    { word },
    ...(typed || sub ? [{ any: [to.collection, ''] }] : []),
    { any: namesOf(to, asker) },
  ]
  const path = [...startOf(ask, asker), ...far]
  if (!may(verb, path, 'some')) return 'unauthorized'
  if (!leadsOn(world, asker, ask, path)) return 'missing'
  const decided: Step[] | undefined = sub?.decidedAs
    ? [...own(to, asker), { word: sub.decidedAs }, { any: namesOf(from, asker) }]
    : undefined
  // At the end of several steps it is the last one's own path that counts, too.
  const last = verb === 'get' || start === null || decided ? path : [...own(from, asker), ...far]
  if (!may(verb, last, 'some')) return 'unauthorized'
  if (verb !== 'get' && decided && !may(verb, decided, from)) return 'unauthorized'
  const isWithin = (thing: Thing) => may(verb, path, thing) && may(verb, last, thing)
  const isThere = follows(world, from, word).includes(to)
  const isShown = sub?.gives !== undefined || mayRead(to)
  if (verb === 'get') return isThere && isShown && isWithin(to) ? 'allowed' : 'missing'
  const reached = isWithin(to) ? 'allowed' : refused(to)
  // What is hidden and not connected is as if it were not there.
  if (verb === 'delete') return isThere || isShown ? reached : 'missing'
  const mayUpdate = (thing: Thing) => sub?.gives === 'put' || may('put', own(thing, asker), thing)
  const mayJoin = sub?.gives === 'put' ? may('put', own(to, asker), to) : mayRead(to)
  if (verb === 'post') return mayJoin ? reached : 'missing'
  if (named ? !isThere || !isShown : !isThere && !mayJoin) return 'missing'
  if (reached !== 'allowed') return reached
  const after = { ...to, values: changed(to, ask) }
  return verdict(mayUpdate(to) && mayUpdate(after) && isWithin(after))
}

/** Whether it is for a filter that something may be done, or may not. */
export const isFiltered = (world: World, asker: Asker, ask: Ask): boolean => {
  const verdict = decide(world, asker, ask)
  return (['without', 'ignored'] as const).some(
    (filters) => decide({ ...world, filters }, asker, ask) !== verdict,
  )
}

const rightsOf = (world: World, asker: Asker) => {
  const strings = stringsOf(world, asker)
  /** Whether there is a right to a thing at the end of the path, to all of them, or to some at least. */
  const may = (verb: Verb, path: Step[], end: Thing | 'all' | 'some'): boolean =>
    strings.some((text) => {
      const [string = '', filter] = text.split(' where ')
      if (!covers(string, verb, path, asker)) return false
      return filter === undefined || end === 'some' || (end !== 'all' && holds(filter, end, asker))
    })
  const mayRead = (thing: Thing) => thing === asker || may('get', own(thing, asker), thing)
  const verdict = (allowed: boolean): Verdict => (allowed ? 'allowed' : 'unauthorized')
  return { may, mayRead, verdict }
}

/** Where a path goes on from something: it must be there, and must be read where only some of the rest may be reached. */
const leadsOn = (
  world: World,
  asker: Asker,
  { verb, start, from }: { verb: Verb; start: Start; from: Thing },
  path: Step[],
): boolean => {
  const { may, mayRead } = rightsOf(world, asker)
  const isThere = start === null || (follows(world, start.root, start.by).includes(from) && mayRead(from))
  return isThere && (may(verb, path, 'all') || mayRead(start?.root ?? from))
}

/** Whether all that a path names is there, and hangs together. */
export const isConnected = (world: World, ask: Ask): boolean => {
  if (ask.kind === 'address') return false
  if (ask.kind !== 'link' && ask.kind !== 'list') return true
  const { start, from, word } = ask
  const begins = start === null || follows(world, start.root, start.by).includes(from)
  return begins && (ask.kind === 'list' || follows(world, from, word).includes(ask.to))
}

/** What a list that was allowed shows, or what a query changes or removes. */
export const shown = (
  world: World,
  asker: Asker,
  ask: Extract<Ask, { kind: 'collection' | 'list' | 'through' }>,
): Thing[] => {
  const { may, mayRead } = rightsOf(world, asker)
  const isFound = (thing: Thing, ql = ask.ql) => isAsked(world, ql, thing)
  const of = (collection: Kind) => world.things.filter((thing) => thing.collection === collection)
  if (ask.kind === 'collection')
    return of(ask.collection).filter(
      (thing) => isFound(thing) && may(ask.verb, [{ word: ask.collection }], thing),
    )
  const path = listPath(ask, asker)
  const sources =
    ask.kind === 'list'
      ? [ask.from]
      : of(ask.collection)
          .filter((thing) => isFound(thing, ask.startQl))
          .filter((thing) => (ask.startQl === '' && may('get', path, 'all')) || mayRead(thing))
  const incoming = ask.kind === 'list' && ask.incoming
  const found = incoming
    ? world.links.filter(([, verb, to]) => verb === ask.word && sources.includes(to)).map(([from]) => from)
    : sources.flatMap((source) => follows(world, source, ask.word))
  const sub = incoming ? undefined : SUBS[sources[0]?.collection ?? 'dogs']?.[ask.word]
  const type = ask.kind === 'list' ? ask.type : null
  return [...new Set(found)]
    .filter((thing) => type === null || thing.collection === type)
    .filter((thing) => isFound(thing) && may('get', path, thing) && (sub?.gives || mayRead(thing)))
}

/** `null` takes a value away. The name of a role stays. */
const changed = ({ values, collection, name }: Thing, ask: { values: Values }): Values => ({
  ...values,
  ...ask.values,
  ...(collection === 'roles' ? { name } : {}),
})

/** A new role has nothing but its name; what is more comes with a later write. */
const made = (collection: Kind, values: Values): Thing => ({
  collection,
  values: collection === 'roles' ? {} : values,
  uuid: '',
  name: '',
  strings: [],
})

export const addressOf = ({ name }: Thing): string => `${name.toLowerCase()}@example.org`

const own = (thing: Thing, asker: Asker): Step[] => [
  { word: thing.collection },
  { any: namesOf(thing, asker) },
]

const startOf = ({ start, from }: { start: Start; from: Thing }, asker: Asker): Step[] => {
  if (start === null) return own(from, asker)
  const far = { any: namesOf(from, asker) }
  return [...own(start.root, asker), { word: start.by }, { any: [from.collection, ''] }, far]
}

const listPath = (ask: Extract<Ask, { kind: 'list' | 'through' }>, asker: Asker): Step[] =>
  ask.kind === 'list'
    ? [...startOf(ask, asker), ...listSteps(ask.from.collection, ask)]
    : [{ word: ask.collection }, { any: ['all'] }, ...listSteps(ask.collection, ask)]

const listSteps = (source: Kind, ask: { word: string; incoming?: boolean; type?: Kind | null }): Step[] => {
  const type = (ask.incoming ? undefined : SUBS[source]?.[ask.word]?.of) ?? ask.type
  return [
    ...(ask.incoming ? [{ word: 'connecting' }] : []),
    { word: ask.word },
    ...(type ? [{ any: [type, ''] }] : []),
  ]
}

/** What a word behind an entity leads to. */
const follows = ({ members, assigned, links }: World, from: Thing, word: string): Thing[] => {
  const pairs: [Thing, Thing][] =
    SUBS[from.collection]?.[word] === undefined || word === 'following' || word === 'devices'
      ? links.filter(([, verb]) => verb === word).map(([near, , far]) => [near, far])
      : word === 'followers'
        ? links.filter(([, verb]) => verb === 'following').map(([near, , far]) => [far, near])
        : [...members, ...assigned]
            .flatMap(([a, b]): [Thing, Thing][] => [
              [a, b],
              [b, a],
            ])
            .filter(([, far]) => far.collection === word)
  return pairs.filter(([near]) => near === from).map(([, far]) => far)
}

/** A user has those of the role `default`, his own, those of his groups, and of all roles of either. */
export const stringsOf = (world: World, asker: Asker): string[] =>
  heldBy(world, asker)
    .filter((text) => world.filters !== 'without' || !text.includes(' where '))
    .map((text) => (world.filters === 'ignored' ? text.split(' where ')[0]! : text))

const heldBy = ({ things, members, assigned }: World, asker: Asker): string[] => {
  const role = (name: string) => things.find((thing) => thing.collection === 'roles' && thing.name === name)
  if (asker === null) return role('guest')?.strings ?? []
  const groups = members.filter(([, user]) => user === asker).map(([group]) => group)
  const roles = assigned
    .filter(([, holder]) => holder === asker || groups.includes(holder))
    .map(([held]) => held)
  return [asker, ...groups, ...roles, ...(role('default') === undefined ? [] : [role('default')!])].flatMap(
    (holder) => holder.strings,
  )
}

const namesOf = (thing: Thing, asker: Asker): string[] =>
  [
    thing.uuid,
    thing.name,
    ...(thing.collection === 'users' ? [addressOf(thing)] : []),
    ...(thing === asker ? ['me'] : []),
  ].map((name) => name.toLowerCase())

/** Every way to write the path is compared with every path of the string, segment by segment. */
const covers = (text: string, verb: Verb, path: Step[], asker: Asker): boolean => {
  const [paths = '', verbs = ''] = text.toLowerCase().split(':').reverse()
  if (!['', '*'].includes(verbs.trim()) && !verbs.split(',').some((one) => [verb, '*'].includes(one.trim())))
    return false
  const steps = path.map((step) => ({
    ...step,
    mustBeWritten: verb !== 'get' && 'word' in step && WRITTEN_OUT.includes(step.word),
  }))
  return paths.split(',').some((one) => {
    const wanted = one.trim() === '*' ? ['**'] : one.trim().split('/').filter(Boolean)
    return fits(wanted, steps, asker, !wanted.includes('**'))
  })
}

const fits = (
  wanted: string[],
  steps: (Step & { mustBeWritten: boolean })[],
  asker: Asker,
  mayEndEarly: boolean,
): boolean => {
  const [first, ...rest] = wanted
  const [step, ...others] = steps
  if (step === undefined)
    return wanted.every((part) => part === '**') || (mayEndEarly && wanted.length === 1 && first === '*')
  if ('any' in step && step.any.includes('') && fits(wanted, others, asker, mayEndEarly)) return true
  if (first === undefined) return false
  const names = 'word' in step ? [step.word] : step.any.filter(Boolean)
  if (step.mustBeWritten)
    return first === names[0]
      ? fits(rest, others, asker, mayEndEarly)
      : first === '**' && fits(rest, steps, asker, mayEndEarly)
  if (first === '**') return fits(rest, steps, asker, mayEndEarly) || fits(wanted, others, asker, mayEndEarly)
  return names.some((name) => fitsWord(first, name, asker)) && fits(rest, others, asker, mayEndEarly)
}

const fitsWord = (wanted: string, name: string, asker: Asker): boolean => {
  const own = asker === null ? [] : [asker.uuid, asker.name.toLowerCase()]
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the variable of permission strings.
  if (wanted === '${user}') return own.includes(name)
  if (wanted === 'me') return name === 'me' || own.includes(name)
  const pattern = wanted
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${pattern}$`).test(name)
}
