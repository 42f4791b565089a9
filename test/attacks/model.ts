/**
 * Who may do what, once more: written from docs/identity.md, by enumerating every way to write a path, with no code
 * of the engine. It is slow and short, and the engine must agree with it.
 */

export type Verb = 'get' | 'post' | 'put' | 'delete'
export type Kind = 'users' | 'groups' | 'roles' | 'dogs' | 'cats' | 'devices'

export interface Thing {
  collection: Kind
  uuid: string
  name: string
  /** Permission strings of users, groups and roles. */
  strings: string[]
}

export interface World {
  things: Thing[]
  /** `[group, user]` */
  members: [Thing, Thing][]
  /** `[role, user or group]` */
  assigned: [Thing, Thing][]
  /** `[from, verb, to]`, also of `following` and `devices`. */
  links: [Thing, string, Thing][]
}

/** `null` for a guest. */
export type Asker = Thing | null

export type Ask =
  | { kind: 'collection'; verb: Verb; collection: Kind }
  | { kind: 'entity'; verb: Verb; entity: Thing }
  | { kind: 'strings'; verb: Verb; entity: Thing }
  | { kind: 'list'; verb: 'get'; from: Thing; word: string; incoming: boolean; type: Kind | null }
  /** From every entity of a collection. */
  | { kind: 'through'; verb: 'get'; collection: Kind; word: string }
  /** `typed` where the path names the collection of the far end, `named` where it is named there. */
  | { kind: 'link'; verb: Verb; from: Thing; word: string; to: Thing; typed: boolean; named: boolean }

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

/** Words that a permission string must write out to change what they stand for. */
const WRITTEN_OUT = ['roles', 'rolenames', 'permissions', 'credentials']

/** A step of a path: a word of the protocol, or all names of an entity; `''` among them where it may be left out. */
type Step = { word: string } | { any: string[] }

export const decide = (world: World, asker: Asker, ask: Ask): Verdict => {
  const may = (verb: Verb, path: Step[]) =>
    stringsOf(world, asker).some((text) => covers(text, verb, path, asker))
  const own = (thing: Thing): Step[] => [{ word: thing.collection }, { any: namesOf(thing, asker) }]
  const mayRead = (thing: Thing) => thing === asker || may('get', own(thing))
  const verdict = (allowed: boolean): Verdict => (allowed ? 'allowed' : 'unauthorized')
  switch (ask.kind) {
    case 'collection':
      return verdict(may(ask.verb, [{ word: ask.collection }]))
    case 'entity':
      return verdict((ask.verb === 'get' && ask.entity === asker) || may(ask.verb, own(ask.entity)))
    case 'strings':
      return verdict(may(ask.verb, [...own(ask.entity), { word: 'permissions' }]))
    case 'through':
      return verdict(
        may('get', [{ word: ask.collection }, { any: ['all'] }, ...listSteps(ask.collection, ask)]),
      )
    case 'list':
      return verdict(may('get', [...own(ask.from), ...listSteps(ask.from.collection, ask)]))
  }
  const { verb, from, word, to, typed, named } = ask
  const sub = SUBS[from.collection]?.[word]
  const far: Step[] = [...(typed || sub ? [{ any: [to.collection, ''] }] : []), { any: namesOf(to, asker) }]
  if (!may(verb, [...own(from), { word }, ...far])) return 'unauthorized'
  const decided = sub?.decidedAs && [...own(to), { word: sub.decidedAs }, { any: namesOf(from, asker) }]
  if (verb !== 'get' && decided && !may(verb, decided)) return 'unauthorized'
  const isThere = follows(world, from, word).includes(to)
  const isShown = sub?.gives !== undefined || mayRead(to)
  if (verb === 'get') return isThere && isShown ? 'allowed' : 'missing'
  // What is hidden and not connected is as if it were not there.
  if (verb === 'delete') return isThere || isShown ? 'allowed' : 'missing'
  const mayJoin = sub?.gives === 'put' ? may('put', own(to)) : mayRead(to)
  if (verb === 'post') return mayJoin ? 'allowed' : 'missing'
  if (named ? !isThere || !isShown : !isThere && !mayJoin) return 'missing'
  return verdict(sub?.gives === 'put' || may('put', own(to)))
}

/** What a list that was allowed shows. */
export const shown = (
  world: World,
  asker: Asker,
  ask: Extract<Ask, { kind: 'list' | 'through' }>,
): Thing[] => {
  const sources =
    ask.kind === 'list' ? [ask.from] : world.things.filter((thing) => thing.collection === ask.collection)
  const incoming = ask.kind === 'list' && ask.incoming
  const found = incoming
    ? world.links.filter(([, verb, to]) => verb === ask.word && sources.includes(to)).map(([from]) => from)
    : sources.flatMap((source) => follows(world, source, ask.word))
  const sub = incoming ? undefined : SUBS[sources[0]!.collection]?.[ask.word]
  const type = ask.kind === 'list' ? ask.type : null
  return [...new Set(found)]
    .filter((thing) => type === null || thing.collection === type)
    .filter(
      (thing) =>
        sub?.gives || decide(world, asker, { kind: 'entity', verb: 'get', entity: thing }) === 'allowed',
    )
}

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
export const stringsOf = ({ things, members, assigned }: World, asker: Asker): string[] => {
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
  [thing.uuid, thing.name, ...(thing === asker ? ['me'] : [])].map((name) => name.toLowerCase())

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
