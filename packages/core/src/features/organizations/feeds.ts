import type { JsonObject } from '../../domain/json.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { Listing, StoredEntity } from '../../storage/store.js'
import { mailLink, shownName } from './show.js'
import { MANAGEMENT } from './types.js'

const FEED = '~feed'
const HOP = { verb: FEED, direction: 'out', collection: 'activities' } as const
const EVERY = { projection: null, filter: null, direct: null, sort: [] }

/** What happens to an organization, as an activity of its feed. */
export interface OrganizationEvent {
  /** Who did it: an administrator, or the organization where a program did. */
  actor: StoredEntity
  verb: 'create' | 'restore'
  /** The organization or an application. */
  object: StoredEntity
}

/** Adds an activity to the feed of an organization. */
export const announce = (
  edits: Edits,
  organization: StoredEntity,
  { actor, verb, object }: OrganizationEvent,
): void => {
  const activity = edits.create('activities', {
    verb,
    category: 'admin',
    published: edits.now,
    title: `${linkTo(actor)} ${sentence(verb, object)}`,
    actor: party(actor),
    object: party(object),
  })
  edits.tx.connect(organization, FEED, activity)
}

/** The newest activities of these organizations first. Whoever joins one sees what happened before. */
export const feedOf = async (
  engine: Engine,
  organizations: StoredEntity | readonly StoredEntity[],
  page: { limit: number; cursor: string | null },
): Promise<Pick<Listing, 'items' | 'cursor'>> =>
  'length' in organizations && organizations.length === 0
    ? { items: [], cursor: null }
    : engine.connected(MANAGEMENT.id, organizations, HOP, { query: EVERY, ...page })

/** Whom a label of the change log means: an administrator, or else the organization itself. */
export const actorOf = (edits: Edits, label: string, organization: StoredEntity): StoredEntity => {
  const uuid = /^admin:(.+)$/.exec(label)?.[1]
  return (uuid === undefined ? null : edits.find('users', uuid)) ?? organization
}

const linkTo = (actor: StoredEntity): string =>
  actor.collection === 'users' ? mailLink(actor) : String(actor.object['name'])

const sentence = (verb: OrganizationEvent['verb'], { collection, object }: StoredEntity): string => {
  const name = String(object['name'])
  if (collection === 'organizations') return `created a new organization account named ${name}`
  return verb === 'create'
    ? `created a new application named ${name}`
    : `restored an application named ${name}`
}

/** The words are Usergrid's. */
const KINDS: Record<string, { objectType: string; entityType: string }> = {
  users: { objectType: 'person', entityType: 'user' },
  organizations: { objectType: 'Organization', entityType: 'group' },
  applications: { objectType: 'Application', entityType: 'application_info' },
}

const party = (entity: StoredEntity): JsonObject => {
  const { collection, object, uuid } = entity
  const displayName = collection === 'users' ? shownName(entity) : String(object['name'])
  return { displayName, ...KINDS[collection], uuid }
}
