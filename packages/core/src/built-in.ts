import type { Descriptor } from './engine/descriptor.js'
import { deviceDescriptor } from './features/devices/index.js'
import { groupDescriptor } from './features/groups/index.js'
import { roleDescriptor } from './features/roles/index.js'
import { userDescriptor } from './features/users/index.js'

/** What is special about the built-in collections, for all who need to know. `secure` is that of users. */
export const builtInDescriptors = ({
  secure,
  ...options
}: Parameters<typeof userDescriptor>[0] & Pick<Descriptor, 'secure'>): (Partial<Descriptor> & {
  collection: string
})[] => [
  { ...userDescriptor(options), ...(secure !== undefined && { secure }) },
  groupDescriptor,
  roleDescriptor,
  deviceDescriptor,
]
