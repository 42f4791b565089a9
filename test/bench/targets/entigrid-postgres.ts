import { entigridTarget } from '../entigrid-target.js'

export const target = entigridTarget(({ postgresUrl }) => postgresUrl, {
  title: 'Entigrid, PostgreSQL',
  durability: 'every commit reaches the disk (fsync and synchronous_commit on)',
  postgres: true,
})
