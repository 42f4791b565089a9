import { join } from 'node:path'
import { entigridTarget } from '../entigrid-target.js'

export const target = entigridTarget(({ folder }) => `sqlite:${join(folder, 'entigrid.db')}`, {
  title: 'Entigrid, SQLite',
  durability: 'every commit reaches the disk (WAL, synchronous=FULL)',
})
