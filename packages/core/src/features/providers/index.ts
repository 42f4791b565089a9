export type { Confirm } from './identities.js'
export { openProviders } from './open-providers.js'
