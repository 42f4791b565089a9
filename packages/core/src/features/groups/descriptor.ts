import { illegalArgument } from '../../domain/errors.js'
import { isUuid } from '../../domain/uuid.js'
import type { Descriptor } from '../../engine/descriptor.js'

const PATH = /^[\p{L}\p{N}./-]{1,200}$/u

/** Groups are found by their path, which may contain slashes. */
export const groupDescriptor: Partial<Descriptor> & { collection: string } = {
  collection: 'groups',
  alias: ['path'],
  unique: ['path'],
  required: ['path'],
  typed: { path: 'string' },
  subCollections: {
    activities: { collection: 'activities', verb: '~activities', direction: 'out', gives: 'put' },
    feed: { collection: 'activities', verb: '~feed', direction: 'out', gives: 'get' },
    roles: { collection: 'roles', verb: '~assigned', direction: 'in', inverse: 'groups', scoped: true },
    users: { collection: 'users', verb: '~members', direction: 'out' },
  },
  sets: { rolenames: 'roles', permissions: 'permissions' },
  commands: ['permissions', 'rolenames'],
  prepare: (properties) => {
    if (properties.has('path')) return
    throw illegalArgument("You must provide a 'path' property when creating a group", 'path')
  },
  check: (properties) => {
    const path = String(properties.get('path'))
    if (!PATH.test(path)) throw illegalArgument(`Illegal characters found in group name: ${path}`, 'path')
    if (isUuid(path)) throw illegalArgument('A path must not look like a uuid', 'path')
  },
}
