export type { Asked, ExplainedRight, Explanation, Questioned } from './access.js'
export { type AdminClient, createAdminClient } from './admin.js'
export type {
  Batch,
  BatchCollection,
  BatchOperation,
  Pending,
  Reference,
  Referring,
  Settled,
} from './batch.js'
export type { CallOptions, Envelope, OnceOptions, RequestOptions } from './call.js'
export { type Client, type ClientOptions, createClient } from './client.js'
export type { Collection, CreatedMany, Failure, ModifyOptions } from './collection.js'
export type {
  Entity,
  Metadata,
  NewUserProperties,
  Place,
  Ref,
  SystemProperties,
  UserProperties,
} from './entity.js'
export { etagOf } from './entity-tag.js'
export type { ActiveSignIn, Lasting, LeaveOptions, SignIn, SignInOptions } from './entrance.js'
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
  type Versions,
} from './errors.js'
export type { FactorList, Factors, Passkey, Proven, RecoveryCodes } from './factors.js'
export type { GroupProperties, Groups, UserGroup } from './groups.js'
export type { Json, JsonObject, Untyped } from './json.js'
export type {
  Application,
  Credentials,
  ManagedApplication,
  Provider,
  ProviderSettings,
} from './managed-application.js'
export {
  type Addition,
  add,
  addUnique,
  type Increment,
  inc,
  type OperatorOn,
  type Removal,
  remove,
  type UniqueAddition,
  type Unset,
  unset,
} from './operators.js'
export type {
  Administrator,
  AdministratorChanges,
  NewAdministrator,
  NewOrganization,
  Organization,
  OrganizationSettings,
  PageOptions,
  WholeOrganization,
} from './organizations.js'
export type { Page } from './page.js'
export type {
  MakePasskey,
  PasskeyAnswer,
  PasskeyCreationOptions,
  PasskeyDescriptor,
  PasskeyRequestOptions,
  UsePasskey,
} from './passkeys.js'
export type { PendingSignIn } from './providers.js'
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
export type { Holder, Role, RoleProperties, Roles } from './roles.js'
export {
  type AnySchema,
  type CollectionShape,
  type Connection,
  collection,
  defineSchema,
  type EntityOf,
  type MergePatchOf,
  type NameOf,
  type NewOf,
  type PatchOf,
  type Schema,
} from './schema.js'
export {
  type Factor,
  type SecondFactor,
  SecondFactorEnrolmentRequired,
  SecondFactorRequired,
} from './second-factor.js'
export type { SessionOptions, Target } from './session.js'
export type { OnTokenChange, Tokens } from './tokens.js'
export type { Engine, EngineReply, EngineRequest, Method } from './transport.js'
export type { WriteOptions } from './write.js'
