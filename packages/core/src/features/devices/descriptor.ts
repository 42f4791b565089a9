import type { Descriptor } from '../../engine/descriptor.js'

export const deviceDescriptor: Partial<Descriptor> & { collection: string } = {
  collection: 'devices',
  subCollections: {
    users: { collection: 'users', verb: '~devices', direction: 'in', inverse: 'devices', exclusive: true },
    receipts: { collection: 'receipts', verb: '~receipts', direction: 'out', gives: 'get' },
  },
}
