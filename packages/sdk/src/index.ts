export {
  type AdminClient,
  type Administrator,
  type Credentials,
  createAdminClient,
  type NewOrganization,
  type Organization,
} from './admin.js'
export { type Client, type ClientOptions, createClient, type SignIn } from './client.js'
export type { Collection, CreatedMany, Failure } from './collection.js'
export type {
  Entity,
  Metadata,
  NewUserProperties,
  Place,
  Ref,
  SystemProperties,
  UserProperties,
} from './entity.js'
export {
  AuthenticationError,
  ConflictError,
  ConnectionError,
  DuplicateError,
  EntigridError,
  type FieldProblem,
  NotFoundError,
  PermissionError,
  RateLimitError,
  TimeoutError,
  UnavailableError,
  ValidationError,
} from './errors.js'
export type { Json, JsonObject, Untyped } from './json.js'
export type { Page } from './page.js'
export type {
  Filter,
  Group,
  Operator,
  Query,
  QueryInput,
  RawQuery,
  Value,
} from './query.js'
export type { RetryOptions } from './retry.js'
export {
  type AnySchema,
  type CollectionShape,
  type Connection,
  collection,
  defineSchema,
  type EntityOf,
  type NameOf,
  type NewOf,
  type PatchOf,
  type Schema,
} from './schema.js'
export type { CallOptions, Envelope, SessionOptions, Target } from './session.js'
export type { Engine, EngineReply, EngineRequest, Method } from './transport.js'
