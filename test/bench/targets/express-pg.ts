import { itemsTarget } from '../floors/items-target.js'

export const target = itemsTarget('floors/express-pg.js', ({ postgresUrl }) => postgresUrl, {
  title: 'Express + pg',
  durability: 'every commit reaches the disk (fsync and synchronous_commit on)',
  postgres: true,
})
