import { join } from 'node:path'
import { entigridTarget } from '../entigrid-target.js'
import { BEFORE } from '../places.js'

export const target = entigridTarget(
  ({ folder }) => `sqlite:${join(folder, 'entigrid.db')}`,
  { title: 'Before, SQLite', durability: 'every commit reaches the disk (WAL, synchronous=FULL)' },
  BEFORE,
)
