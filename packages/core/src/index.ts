export type { Principal } from './api/principal.js'
export { errorReply } from './api/reply.js'
export type { ApiReply, ApiRequest, ErrorBody, Method } from './api/request.js'
export { AppDoor, Engine, openEngine } from './app.js'
export type { Entity } from './domain/entity.js'
export { AppError, ERROR_CODES, type ErrorCode, type FieldProblem } from './domain/errors.js'
export type { Json, JsonObject } from './domain/json.js'
export { checkDepth, tooDeep } from './domain/json-depth.js'
export {
  DEFAULT_LIMITS,
  LIMIT_NAMES,
  LIMITS,
  type LimitName,
  type LimitRule,
  type Limits,
  limitProblem,
  limitsOf,
  tooLong,
} from './domain/limits.js'
export { type ExamineOptions, examine } from './examine.js'
export {
  type Captcha,
  type RegistrationOptions,
  type SiteVerifyOptions,
  siteVerifyCaptcha,
} from './features/accounts/index.js'
export type { PasswordPolicy, SigningAlgorithm } from './features/auth/index.js'
export {
  type BatchOperation,
  type EntityPage,
  type EntityRef,
  entityTagOf,
  type ListOptions,
  type OperationOutcome,
  type Session,
  type WriteConditions,
} from './features/collections/index.js'
export type { PasskeySettings } from './features/factors/index.js'
export {
  FileMailer,
  type FileMailerOptions,
  LogMailer,
  type Mail,
  type Mailer,
  SmtpMailer,
  type SmtpOptions,
} from './features/mail/index.js'
export type { Bootstrapped, FirstStart } from './features/organizations/index.js'
export { DEFAULT_RATES, type RateLimits } from './features/rates/index.js'
export type { EngineOptions, Log } from './options.js'
export { backup, restore } from './storage/typeorm/backup.js'
export { DatabaseError } from './storage/typeorm/database-error.js'
export type { CheckUp } from './storage/typeorm/doctor/examine.js'
export type { Finding } from './storage/typeorm/doctor/findings.js'
export { NewerSchemaError } from './storage/typeorm/migrate.js'
export { adviceOn } from './storage/typeorm/sqlite/file-trouble.js'
