import type { Json } from '@entigrid/core'
import { ConfigError } from '../config.js'
import { application, confirmed, type Desk, type Entity, segment } from './desk.js'
import { credentials, orgOf } from './org.js'
import type { Flags, Subcommand, Told } from './subcommand.js'
import { facts, table, time } from './table.js'

/** `entigrid app`: applications. */
export const APP: Readonly<Record<string, Subcommand>> = {
  list: {
    usage: '[ORGANIZATION] [--deleted]',
    help: 'Lists the applications of one organization or of all; with --deleted, those that can be restored.',
    operands: [0, 1],
    flags: { deleted: 'boolean' },
    run: (desk, [organization], flags) => list(desk, organization, flags),
  },
  show: {
    usage: 'ORGANIZATION/APPLICATION',
    help: 'Shows its properties, and how many entities are in each collection.',
    operands: [1, 1],
    run: async (desk, [name]) => {
      const { entities: [data = {}] = [] } = await desk.ask('GET', managedPath(name))
      return { data, text: shown(data) }
    },
  },
  create: {
    usage: 'ORGANIZATION/APPLICATION',
    help: 'Makes one, in which guests may only sign up.',
    operands: [1, 1],
    run: async (desk, [name]) => {
      const { organization, name: app } = application(name)
      const { application: uuid } = await desk.ask('POST', `${orgOf(organization)}/apps`, {
        body: { name: app },
      })
      return { data: { name, uuid }, text: `Made the application ${name}\n` }
    },
  },
  delete: {
    usage: 'ORGANIZATION/APPLICATION --yes',
    help: 'Hides it and frees its name. The data is kept, and can be restored.',
    operands: [1, 1],
    flags: { yes: 'boolean' },
    run: async (desk, [name], { yes }) => {
      const { name: app } = application(name)
      confirmed(yes, `${name} will not answer any more`)
      const query = { confirm_application_identifier: app }
      const { application: uuid } = await desk.ask('DELETE', managedPath(name), { query })
      const text = `Deleted ${name}; entigrid app restore ${name} brings it back\n`
      return { data: { name, uuid }, text }
    },
  },
  restore: {
    usage: 'ORGANIZATION/APPLICATION',
    help: 'Brings a deleted one back, with a new client secret. APPLICATION may be its uuid.',
    operands: [1, 1],
    run: (desk, [name]) => restore(desk, name!),
  },
  credentials: {
    usage: 'ORGANIZATION/APPLICATION [--renew]',
    help: 'Shows client id and secret, with which programs have all rights in it. --renew ends the old secret.',
    operands: [1, 1],
    flags: { renew: 'boolean' },
    run: (desk, [name], flags) => credentials(desk, managedPath(name), flags),
  },
  set: {
    usage: 'ORGANIZATION/APPLICATION NAME=VALUE...',
    help: 'Sets properties, such as accesstokenttl=3600000. A value is JSON or text; an empty one removes.',
    operands: [2, Number.POSITIVE_INFINITY],
    run: async (desk, [name, ...pairs]) => {
      const body = Object.fromEntries(pairs.map(propertyOf))
      const { entities: [data = {}] = [] } = await desk.ask('PUT', application(name).path, { body })
      return { data, text: shown(data) }
    },
  },
}

const managedPath = (text: unknown): string => {
  const { organization, name } = application(text)
  return `${orgOf(organization)}/apps/${segment(name)}`
}

const list = async (desk: Desk, organization: string | undefined, { deleted }: Flags): Promise<Told> => {
  const names =
    organization === undefined
      ? (await desk.list('/management/orgs', 'organizations')).map(({ name }) => String(name))
      : [organization]
  const data: Record<string, string> = {}
  for (const name of names) Object.assign(data, await applicationsOf(desk, name, deleted === true))
  const rows = Object.entries(data).sort(([one], [other]) => (one < other ? -1 : 1))
  return { data, text: table(['NAME', 'UUID'], rows) }
}

/** Uuids by full name. */
const applicationsOf = async (
  desk: Desk,
  organization: string,
  deleted: boolean,
): Promise<Record<string, string>> => {
  const { data } = await desk.ask('GET', `${orgOf(organization)}/apps`, { query: { deleted: `${deleted}` } })
  return data as Record<string, string>
}

const restore = async (desk: Desk, name: string): Promise<Told> => {
  const { organization, name: app } = application(name)
  const deleted = await applicationsOf(desk, organization, true)
  const [fullName, uuid] =
    Object.entries(deleted).find(([known, id]) => known === name.toLowerCase() || id === app.toLowerCase()) ??
    []
  if (uuid === undefined)
    throw new ConfigError(
      `No deleted application is ${name}; see entigrid app list ${organization} --deleted`,
    )
  await desk.ask('PUT', `${orgOf(organization)}/apps/${uuid}`)
  return { data: { name: fullName, uuid }, text: `Restored ${fullName}; its client secret is a new one\n` }
}

const propertyOf = (pair: string): [string, Json] => {
  const [, name, value = ''] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
  if (name === undefined) throw new ConfigError(`${JSON.stringify(pair)} is not NAME=VALUE`)
  if (value === '') return [name, null]
  try {
    return [name, JSON.parse(value) as Json]
  } catch {
    return [name, value]
  }
}

const KNOWN = new Set([
  'type',
  'metadata',
  'organization',
  'organizationName',
  'applicationName',
  'name',
  'uuid',
  'created',
  'modified',
])

const shown = (entity: Entity): string => {
  const { name, uuid, created, metadata } = entity
  const own = Object.entries(entity).filter(([key]) => !KNOWN.has(key))
  const { collections } = metadata as { collections: Record<string, { count: number }> }
  const rows = Object.entries(collections).flatMap(([collection, { count }]) =>
    count === 0 ? [] : [[collection, count]],
  )
  const properties = own.map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return (
    facts({
      name: String(name),
      uuid: String(uuid),
      created: time(created),
      ...Object.fromEntries(properties),
    }) + (rows.length === 0 ? '' : `\n${table(['COLLECTION', 'ENTITIES'], rows)}`)
  )
}
