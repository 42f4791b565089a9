import { entigridTarget } from '../entigrid-target.js'
import { BEFORE } from '../places.js'

export const target = entigridTarget(
  ({ postgresUrl }) => postgresUrl,
  {
    title: 'Before, PostgreSQL',
    durability: 'every commit reaches the disk (fsync and synchronous_commit on)',
    postgres: true,
  },
  BEFORE,
)
