import { ConfigError } from '../config.js'
import { type Desk, type Entity, segment } from './desk.js'
import type { Flags, Subcommand, Told } from './subcommand.js'
import { facts, table } from './table.js'
import { adminTable, findAdmin } from './user.js'

/** `entigrid org`: organizations, and who administers them. */
export const ORG: Readonly<Record<string, Subcommand>> = {
  list: {
    usage: '',
    help: 'Lists all organizations.',
    operands: [0, 0],
    run: async (desk) => {
      const data = await desk.list('/management/orgs', 'organizations')
      const rows = data.map(({ name, uuid, applications }) => [
        String(name),
        Object.keys(applications as object).length,
        String(uuid),
      ])
      return { data, text: table(['NAME', 'APPLICATIONS', 'UUID'], rows) }
    },
  },
  show: {
    usage: 'NAME',
    help: 'Shows an organization with its applications and administrators.',
    operands: [1, 1],
    run: async (desk, [name = '']) => {
      const { organization } = await desk.ask('GET', orgOf(name))
      return { data: organization, text: shown(organization as Entity) }
    },
  },
  create: {
    usage: 'NAME OWNER [--username NAME] [--no-sandbox]',
    help:
      'Makes an organization. OWNER is the username or e-mail address of an administrator; a new address makes\n' +
      'one, whose username it is if --username names no other. There is an application sandbox in it, which is\n' +
      'open to everybody, unless --no-sandbox is given.',
    operands: [2, 2],
    flags: { username: 'string', 'no-sandbox': 'boolean' },
    run: (desk, [name = '', owner = ''], flags) => create(desk, name, owner, flags),
  },
  members: {
    usage: 'NAME',
    help: 'Lists its administrators.',
    operands: [1, 1],
    run: async (desk, [name = '']) => {
      const { data } = await desk.ask('GET', `${orgOf(name)}/users`)
      return { data, text: adminTable(data as Entity[]) }
    },
  },
  'add-member': {
    usage: 'NAME ADMINISTRATOR',
    help: 'Lets somebody administer it. entigrid user create makes administrators.',
    operands: [2, 2],
    run: async (desk, [name = '', ref = '']) => {
      const { data } = await desk.ask('PUT', `${orgOf(name)}/users/${segment(ref)}`)
      return { data, text: `${usernameIn(data)} administers ${name}\n` }
    },
  },
  'remove-member': {
    usage: 'NAME ADMINISTRATOR',
    help: 'Takes that back. The last one stays.',
    operands: [2, 2],
    run: async (desk, [name = '', ref = '']) => {
      const { data } = await desk.ask('DELETE', `${orgOf(name)}/users/${segment(ref)}`)
      return { data, text: `${usernameIn(data)} does not administer ${name} any more\n` }
    },
  },
  credentials: {
    usage: 'NAME [--renew]',
    help: 'Shows client id and secret, with which programs have all rights in it. --renew ends the old secret.',
    operands: [1, 1],
    flags: { renew: 'boolean' },
    run: (desk, [name = ''], flags) => credentials(desk, orgOf(name), flags),
  },
}

export const orgOf = (name: string): string => `/management/orgs/${segment(name)}`

/** Client credentials of an organization or application. */
export const credentials = async (desk: Desk, owner: string, { renew }: Flags): Promise<Told> => {
  const { credentials: data } = await desk.ask(renew === true ? 'POST' : 'GET', `${owner}/credentials`)
  const { client_id, client_secret } = data as { client_id: string; client_secret: string }
  return { data, text: facts({ 'client id': client_id, 'client secret': client_secret }) }
}

const create = async (
  desk: Desk,
  organization: string,
  owner: string,
  { username, 'no-sandbox': bare }: Flags,
): Promise<Told> => {
  const there = await findAdmin(desk, owner)
  if (there === null) return createWithOwner(desk, organization, owner, { username, bare })
  if (username !== undefined)
    throw new ConfigError(`The administrator ${owner} has a username already; leave out --username`)
  const { uuid, email } = there
  const { data } = bare
    ? await desk.ask('POST', `/management/users/${String(uuid)}/orgs`, { body: { organization } })
    : await desk.ask('POST', '/management/orgs', { body: { organization, email: String(email) } })
  const made = bare ? { owner: there, organization: data } : data
  return { data: made, text: `Made the organization ${organization} of ${String(there['username'])}\n` }
}

/** Both are made, or neither. */
const createWithOwner = async (
  desk: Desk,
  organization: string,
  email: string,
  { username = email, bare }: Flags,
): Promise<Told> => {
  if (bare) throw new ConfigError('With --no-sandbox, make the owner first: entigrid user create')
  if (!email.includes('@'))
    throw new ConfigError(`There is no administrator ${email}; the e-mail address of a new one makes him`)
  const { password, shown: said } = desk.password()
  const { data } = await desk.ask('POST', '/management/orgs', {
    body: { organization, email, username: String(username), name: String(username), password },
  })
  const text = `Made the organization ${organization} and the administrator ${String(username)}\n${said}`
  return { data, text }
}

const usernameIn = (data: unknown): string => String((data as { user: { username: unknown } }).user.username)

const shown = ({ name, uuid, properties, applications, users }: Entity): string =>
  facts({
    name: String(name),
    uuid: String(uuid),
    applications: Object.keys(applications as object).sort(),
    administrators: Object.keys(users as object).sort(),
    ...Object.fromEntries(
      Object.entries(properties as object).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ),
  })
