export { CollectionAdministration } from './administration.js'
export { type Asked, type AskedMethod, hear, readAskedPath, readMethod } from './asking.js'
export type { BatchOperation } from './batch.js'
export { refFor } from './call.js'
export { Collections } from './collections.js'
export { spellingsOf } from './gate-path.js'
export { PathReader } from './path.js'
export { Renderer } from './render.js'
export { administrationRoutes, appEnvelope, batchRoute, collectionsDoor } from './routes.js'
export {
  type EntityPage,
  type EntityRef,
  entityTagOf,
  type ListOptions,
  type OperationOutcome,
  Session,
  type SessionDoors,
  type WriteConditions,
} from './session.js'
export { knownBy, seen } from './sight.js'
