import { isUuid } from '../../domain/uuid.js'
import type { Engine } from '../../engine/engine.js'
import { aliasesFor, spellings } from '../../engine/reads.js'
import type { StoredEntity } from '../../storage/store.js'
import { badCredentials, type GrantRequest, type GrantType } from './grant.js'
import { NOBODY } from './nobody.js'
import type { SignIn } from './sign-ins.js'
import type { Tokens } from './tokens.js'

export interface PasswordGrantOptions {
  engine: Engine
  /** Number of the application that keeps administrators. */
  management: number
  /** Checks passwords of users, also of the management application. @throws {AppError} `too_many_requests` */
  verify: (signIn: SignIn) => Promise<boolean>
}

/** Somebody whose password was right. */
export interface Proven {
  user: StoredEntity
  /** What `Tokens.lastRevoked` said before. */
  revoked: string | null
}

/** Checks a password, and signs nobody in yet. @throws {AppError} `invalid_grant`, `too_many_requests` */
export type PasswordProof = (request: GrantRequest, tokens: Tokens) => Promise<Proven>

/** `grant_type=password`: username, e-mail address or uuid, and password. */
export const passwordGrant = (options: PasswordGrantOptions): GrantType => {
  const prove = passwordProof(options)
  return async (request, tokens) => {
    const { user, revoked } = await prove(request, tokens)
    const { fields, app, asked } = request
    return tokens.signIn(user, app, { ...asked, how: 'password', revoked, fields })
  }
}

export const passwordProof =
  ({ engine, management, verify }: PasswordGrantOptions): PasswordProof =>
  async ({ fields, app, asked }, tokens) => {
    const username = fields['username'] ?? fields['email']
    const { password } = fields
    if (typeof username !== 'string' || typeof password !== 'string') throw badCredentials()
    tokens.checkLifetime(app, asked)
    const home = app === null ? management : app.application.id
    const user = await accountNamed(engine, home, username)
    // Read before the password is looked at: when it is changed meanwhile, the old one proves nothing any more.
    const revoked = await tokens.lastRevoked(user ?? NOBODY)
    const { network } = asked
    const isRight = await verify({ app: home, ref: username, user, password, network })
    if (!isRight || user === null) throw badCredentials()
    return { user, revoked }
  }

/** Like `engine.find`, but looks for all that the name may be, also once there is an account: time tells nothing. */
const accountNamed = async (engine: Engine, app: number, ref: string): Promise<StoredEntity | null> => {
  if (isUuid(ref)) return engine.find(app, 'users', ref)
  const users = engine.descriptor('users')
  const found = await Promise.all(
    aliasesFor(users, ref).flatMap((alias) =>
      spellings(users, alias, ref).map((text) => engine.store.find(app, 'users', alias, text)),
    ),
  )
  return found.find((user) => user !== null) ?? null
}
