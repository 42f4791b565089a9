import { compiled } from '../places.js'
import type { Target } from '../target.js'

export const target: Target = {
  title: 'Express, constant',
  durability: 'stores nothing',
  readyPath: '/constant',
  program: ({ port }) => ({
    command: process.execPath,
    args: [compiled('floors/express-constant.js')],
    env: { PORT: String(port) },
  }),
  setUp: async (url) => ({ url, headers: {}, userHeaders: {}, ids: [], hubs: [], cursor: '' }),
  scenarios: () => ({ constant: () => ({ method: 'GET', path: '/constant' }) }),
  idsOf: () => [],
  namesOf: () => [],
}
