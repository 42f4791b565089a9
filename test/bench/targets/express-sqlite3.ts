import { join } from 'node:path'
import { itemsTarget } from '../floors/items-target.js'

export const target = itemsTarget('floors/express-sqlite3.js', ({ folder }) => join(folder, 'items.db'), {
  title: 'Express + sqlite3',
  durability: 'every commit reaches the disk (WAL, synchronous=FULL)',
})
