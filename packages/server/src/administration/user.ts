import { ConfigError } from '../config.js'
import { application, confirmed, type Desk, type Entity, limitOf, segment } from './desk.js'
import type { Flags, Subcommand, Told } from './subcommand.js'
import { facts, table, time } from './table.js'

const APP = { app: 'string' } as const

/** `entigrid user`: users of an application with `--app`, else administrators. */
export const USER: Readonly<Record<string, Subcommand>> = {
  list: {
    usage: '[--app ORGANIZATION/APPLICATION [--ql QUERY]] [--limit NUMBER]',
    help: 'Lists users, 100 unless --limit says otherwise; those that match a query, with --ql.',
    operands: [0, 0],
    flags: { ...APP, ql: 'string', limit: 'string' },
    run: (desk, _, flags) => list(desk, flags),
  },
  show: {
    usage: 'USER [--app ORGANIZATION/APPLICATION]',
    help: 'Shows a user with his groups, roles and permission strings, or an administrator with his organizations.',
    operands: [1, 1],
    flags: APP,
    run: (desk, [ref = ''], { app }) => (app === undefined ? showAdmin(desk, ref) : showUser(desk, app, ref)),
  },
  create: {
    usage: 'USERNAME [EMAIL] [--app ORGANIZATION/APPLICATION]',
    help:
      'Makes one. The password is that of ENTIGRID_PASSWORD, or a generated one that is printed. An administrator\n' +
      'has an e-mail address, and no organization before entigrid org add-member.',
    operands: [1, 2],
    flags: APP,
    run: (desk, [username = '', email], { app }) => create(desk, app, username, email),
  },
  password: {
    usage: 'USER [--app ORGANIZATION/APPLICATION]',
    help: 'Sets his password to that of ENTIGRID_PASSWORD, or a generated one, and ends his tokens.',
    operands: [1, 1],
    flags: APP,
    run: async (desk, [ref = ''], { app }) => {
      const { path, user } = await at(desk, app, ref)
      const { password, shown } = desk.password()
      await desk.ask('PUT', `${path}/password`, { body: { newpassword: password } })
      const generated = shown === '' ? {} : { password }
      return {
        data: { ...named(user), ...generated },
        text: `Changed the password of ${nameOf(user)}\n${shown}`,
      }
    },
  },
  'remove-factors': {
    usage: 'USER [--app ORGANIZATION/APPLICATION]',
    help: 'Removes his second factors, when he has lost them. He may sign in without, or sets up new ones.',
    operands: [1, 1],
    flags: APP,
    run: async (desk, [ref = ''], { app }) => {
      const { path, user } = await at(desk, app, ref)
      await desk.ask('DELETE', `${path}/factors`)
      return { data: named(user), text: `${nameOf(user)} has no second factor any more\n` }
    },
  },
  disable: {
    usage: 'USER [--app ORGANIZATION/APPLICATION]',
    help: 'Keeps him from signing in. His tokens are refused as long.',
    operands: [1, 1],
    flags: APP,
    run: (desk, [ref = ''], { app }) =>
      change(desk, app, ref, { disabled: true }, 'may not sign in any more'),
  },
  enable: {
    usage: 'USER [--app ORGANIZATION/APPLICATION]',
    help: 'Lets him sign in again, also where he was never activated or has deactivated himself.',
    operands: [1, 1],
    flags: APP,
    run: (desk, [ref = ''], { app }) =>
      change(desk, app, ref, { disabled: false, activated: true }, 'may sign in'),
  },
  delete: {
    usage: 'USER --app ORGANIZATION/APPLICATION --yes',
    help: 'Deletes a user, for ever. Administrators are disabled instead.',
    operands: [1, 1],
    flags: { ...APP, yes: 'boolean' },
    run: async (desk, [ref = ''], { app, yes }) => {
      if (app === undefined) throw new ConfigError('Administrators are not deleted: entigrid user disable')
      const { path, user } = await at(desk, app, ref)
      confirmed(yes, `${nameOf(user)} will be gone for ever`)
      await desk.ask('DELETE', path)
      return { data: named(user), text: `Deleted ${nameOf(user)}\n` }
    },
  },
}

/** An administrator by uuid, username or e-mail address. */
export const findAdmin = async (desk: Desk, ref: string): Promise<Entity | null> => {
  const path = `/management/users/${segment(ref)}`
  return ((await desk.find(path, ['management'], { shallow: 'true' }))?.data as Entity | undefined) ?? null
}

/** An entity of an application. @throws {ConfigError} */
export const entityAt = async (desk: Desk, path: string, what: string): Promise<Entity> => {
  const [entity] = (await desk.find(path, ['entity_not_found', 'service_resource_not_found']))?.entities ?? []
  if (entity === undefined) throw new ConfigError(`There is no ${what}`)
  return entity
}

export const adminTable = (admins: readonly Entity[]): string =>
  table(
    ['USERNAME', 'EMAIL', 'NAME', 'STATE', 'UUID'],
    admins.map((admin) => [...columns(admin), stateOf(admin), String(admin['uuid'])]),
  )

/** A user and his path, by uuid, so that nobody who comes after him under his name is meant. */
const at = async (desk: Desk, app: unknown, ref: string): Promise<{ path: string; user: Entity }> => {
  if (app === undefined) {
    const admin = await findAdmin(desk, ref)
    if (admin === null) throw new ConfigError(`There is no administrator ${ref}`)
    return { path: `/management/users/${String(admin['uuid'])}`, user: admin }
  }
  const { path } = application(app)
  const user = await entityAt(desk, `${path}/users/${segment(ref)}`, `user ${ref} in ${String(app)}`)
  return { path: `${path}/users/${String(user['uuid'])}`, user }
}

const list = async (desk: Desk, { app, ql, limit }: Flags): Promise<Told> => {
  if (app === undefined) {
    if (ql !== undefined) throw new ConfigError('--ql is for the users of an application: name it with --app')
    const data = await desk.list('/management/users', 'data', { limit: limitOf(limit) })
    return { data, text: adminTable(data) }
  }
  const query = { limit: limitOf(limit), ...(typeof ql === 'string' && { ql }) }
  const data = await desk.list(`${application(app).path}/users`, 'entities', query)
  return { data, text: adminTable(data) }
}

const showAdmin = async (desk: Desk, ref: string): Promise<Told> => {
  const { user: data } = await at(desk, undefined, ref)
  const { uuid, username, name, email, organizations } = data
  const text = facts({
    username: String(username),
    name: String(name ?? ''),
    email: String(email ?? ''),
    uuid: String(uuid),
    state: stateOf(data),
    organizations: Object.keys(organizations as object).sort(),
  })
  return { data, text }
}

const showUser = async (desk: Desk, app: unknown, ref: string): Promise<Told> => {
  const { path, user } = await at(desk, app, ref)
  const [roles, permissions, groups] = await Promise.all([
    desk.ask('GET', `${path}/rolenames`),
    desk.ask('GET', `${path}/permissions`),
    desk.list(`${path}/groups`, 'entities'),
  ])
  const { uuid, username, name, email, created } = user
  const data = {
    ...user,
    groups: groups.map((group) => String(group['path'])),
    roles: Object.keys(roles.data as object),
    permissions: permissions.data as string[],
  }
  const text = facts({
    username: String(username),
    name: String(name ?? ''),
    email: String(email ?? ''),
    uuid: String(uuid),
    state: stateOf(user),
    created: time(created),
    groups: data.groups,
    roles: data.roles,
    permissions: data.permissions,
  })
  return { data, text }
}

const create = async (
  desk: Desk,
  app: unknown,
  username: string,
  email: string | undefined,
): Promise<Told> => {
  if (app === undefined && email === undefined)
    throw new ConfigError(
      'An administrator needs an e-mail address; users of an application are made with --app',
    )
  const { password, shown } = desk.password()
  const account = { username, password, ...(email === undefined ? {} : { email }) }
  const reply = await desk.ask(
    'POST',
    app === undefined ? '/management/users' : `${application(app).path}/users`,
    {
      body: account,
    },
  )
  const data = app === undefined ? (reply.data as Entity)['user'] : reply.entities?.[0]
  const generated = shown === '' ? {} : { password }
  const what = app === undefined ? 'administrator' : 'user'
  return { data: { ...(data as Entity), ...generated }, text: `Made the ${what} ${username}\n${shown}` }
}

const change = async (
  desk: Desk,
  app: unknown,
  ref: string,
  body: { disabled: boolean; activated?: boolean },
  told: string,
): Promise<Told> => {
  const { path, user } = await at(desk, app, ref)
  await desk.ask('PUT', path, { body, ...(app === undefined ? {} : { ifMatch: '*' }) })
  return { data: { ...named(user), ...body }, text: `${nameOf(user)} ${told}\n` }
}

const columns = ({ username, email, name }: Entity): string[] =>
  [username, email, name].map((value) => String(value ?? ''))

const nameOf = ({ username }: Entity): string => String(username)

const named = ({ uuid, username }: Entity): Entity => ({ uuid, username })

const stateOf = ({ activated, confirmed, disabled }: Entity): string => {
  if (disabled === true) return 'disabled'
  if (activated !== true) return 'not activated'
  return confirmed === false ? 'not confirmed' : 'active'
}
