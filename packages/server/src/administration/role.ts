import { ConfigError } from '../config.js'
import { application, confirmed, type Desk, type Entity, segment } from './desk.js'
import type { Flags, Subcommand, Told } from './subcommand.js'
import { table } from './table.js'
import { entityAt } from './user.js'

const APP = { app: 'string' } as const
const GROUP = { ...APP, group: 'boolean' } as const
const IN = '--app ORGANIZATION/APPLICATION'
const MANY = Number.POSITIVE_INFINITY

/** `entigrid role`: the roles of an application, what they allow, and who has them. */
export const ROLE: Readonly<Record<string, Subcommand>> = {
  list: {
    usage: IN,
    help: 'Lists the roles with their permission strings.',
    operands: [0, 0],
    flags: APP,
    run: (desk, _, flags) => list(desk, flags),
  },
  create: {
    usage: `NAME [PERMISSION...] [--title TITLE] ${IN}`,
    help: 'Makes a role that allows what the strings say, such as get,put:/articles/**.',
    operands: [1, MANY],
    flags: { ...APP, title: 'string' },
    run: (desk, [name = '', ...strings], flags) => create(desk, name, strings, flags),
  },
  delete: {
    usage: `ROLE --yes ${IN}`,
    help: 'Deletes a role, which nobody has any more then.',
    operands: [1, 1],
    flags: { ...APP, yes: 'boolean' },
    run: async (desk, [ref = ''], { app, yes }) => {
      const { path, role } = await roleAt(desk, app, ref)
      confirmed(yes, `Nobody will have the role ${nameOf(role)} any more`)
      await desk.ask('DELETE', path)
      return { data: role, text: `Deleted the role ${nameOf(role)}\n` }
    },
  },
  permissions: {
    usage: `ROLE ${IN}`,
    help: 'Prints the permission strings of a role, one a line.',
    operands: [1, 1],
    flags: APP,
    run: async (desk, [ref = ''], { app }) => {
      const { path } = await roleAt(desk, app, ref)
      return strings(await permissionsOf(desk, path))
    },
  },
  grant: {
    usage: `ROLE PERMISSION... ${IN}`,
    help: 'Adds permission strings to a role, and prints all that it has.',
    operands: [2, MANY],
    flags: APP,
    run: async (desk, [ref = '', ...permission], { app }) => {
      const { path } = await roleAt(desk, app, ref)
      const { data } = await desk.ask('POST', `${path}/permissions`, { body: { permission } })
      return strings(data as string[])
    },
  },
  revoke: {
    usage: `ROLE PERMISSION... ${IN}`,
    help: 'Removes permission strings from a role, and prints those that are left.',
    operands: [2, MANY],
    flags: APP,
    run: (desk, [ref = '', ...permission], { app }) => revoke(desk, app, ref, permission),
  },
  assign: {
    usage: `ROLE USER [--group] ${IN}`,
    help: 'Gives a role to a user, or with --group to all who are in the group of that path.',
    operands: [2, 2],
    flags: GROUP,
    run: (desk, [ref = '', to = ''], flags) => assign(desk, ref, to, flags, 'POST'),
  },
  unassign: {
    usage: `ROLE USER [--group] ${IN}`,
    help: 'Takes a role away.',
    operands: [2, 2],
    flags: GROUP,
    run: (desk, [ref = '', from = ''], flags) => assign(desk, ref, from, flags, 'DELETE'),
  },
}

const list = async (desk: Desk, { app }: Flags): Promise<Told> => {
  const { path } = application(app)
  const roles = await desk.list(`${path}/roles`, 'entities')
  const data = await Promise.all(
    roles.map(async ({ uuid, name, title }) => ({
      uuid,
      name,
      title,
      permissions: await permissionsOf(desk, `${path}/roles/${String(uuid)}`),
    })),
  )
  // A line for each string, as they may be long.
  const rows = data.flatMap(({ name, title, permissions }) =>
    [permissions[0] ?? '', ...permissions.slice(1)].map((permission, index) =>
      index === 0 ? [String(name), String(title), permission] : ['', '', permission],
    ),
  )
  return { data, text: table(['ROLE', 'TITLE', 'PERMISSIONS'], rows) }
}

const create = async (
  desk: Desk,
  name: string,
  permission: readonly string[],
  { app, title }: Flags,
): Promise<Told> => {
  const { path } = application(app)
  const body = { name, ...(typeof title === 'string' && { title }) }
  const { entities: [role = {}] = [] } = await desk.ask('POST', `${path}/roles`, { body })
  const at = `${path}/roles/${String(role['uuid'])}`
  if (permission.length > 0) await grantOrRemove(desk, at, permission)
  return { data: role, text: `Made the role ${nameOf(role)}\n` }
}

/** A role without what it was to allow would be a surprise later. */
const grantOrRemove = async (desk: Desk, role: string, permission: readonly string[]): Promise<void> => {
  try {
    await desk.ask('POST', `${role}/permissions`, { body: { permission: [...permission] } })
  } catch (error) {
    await desk.ask('DELETE', role)
    throw error
  }
}

const revoke = async (
  desk: Desk,
  app: unknown,
  ref: string,
  permission: readonly string[],
): Promise<Told> => {
  const { path, role } = await roleAt(desk, app, ref)
  const before = await permissionsOf(desk, path)
  const { data } = await desk.ask('DELETE', `${path}/permissions`, { body: { permission: [...permission] } })
  const left = data as string[]
  if (left.length === before.length)
    throw new ConfigError(`The role ${nameOf(role)} has none of these; see entigrid role permissions`)
  return strings(left)
}

const assign = async (
  desk: Desk,
  ref: string,
  holder: string,
  { app, group }: Flags,
  method: 'POST' | 'DELETE',
): Promise<Told> => {
  const { path, role } = await roleAt(desk, app, ref)
  const [collection, what] = group === true ? ['groups', 'group'] : ['users', 'user']
  const at = `${application(app).path}/${collection}/${segment(holder)}`
  const { uuid } = await entityAt(desk, at, `${what} ${holder} in ${String(app)}`)
  await desk.ask(method, `${path}/${collection}/${String(uuid)}`)
  const text = `The ${what} ${holder} ${method === 'POST' ? 'has' : 'has no more'} the role ${nameOf(role)}\n`
  return { data: { role: role['name'], [what!]: uuid }, text }
}

const roleAt = async (desk: Desk, app: unknown, ref: string): Promise<{ path: string; role: Entity }> => {
  const { path } = application(app)
  const role = await entityAt(desk, `${path}/roles/${segment(ref)}`, `role ${ref} in ${String(app)}`)
  return { path: `${path}/roles/${String(role['uuid'])}`, role }
}

const permissionsOf = async (desk: Desk, path: string): Promise<string[]> =>
  (await desk.ask('GET', `${path}/permissions`)).data as string[]

const strings = (data: readonly string[]): Told => ({ data, text: data.map((one) => `${one}\n`).join('') })

const nameOf = ({ name }: Entity): string => String(name)
