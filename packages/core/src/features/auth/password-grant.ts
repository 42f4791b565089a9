import type { Engine } from '../../engine/engine.js'
import { badCredentials, type GrantType } from './grant.js'
import type { SignIn } from './sign-ins.js'

export interface PasswordGrantOptions {
  engine: Engine
  /** Number of the application that keeps administrators. */
  management: number
  /** Checks passwords of users, also of the management application. @throws {AppError} `too_many_requests` */
  verify: (signIn: SignIn) => Promise<boolean>
}

/** `grant_type=password`: username, e-mail address or uuid, and password. */
export const passwordGrant =
  ({ engine, management, verify }: PasswordGrantOptions): GrantType =>
  async ({ fields, app, asked }, tokens) => {
    const username = fields['username'] ?? fields['email']
    const { password } = fields
    if (typeof username !== 'string' || typeof password !== 'string') throw badCredentials()
    tokens.checkLifetime(app, asked)
    const home = app === null ? management : app.application.id
    const user = await engine.find(home, 'users', username)
    // Read before the password is looked at: when it is changed meanwhile, the old one proves nothing any more.
    const revoked = user === null ? null : await tokens.lastRevoked(user)
    const { network } = asked
    const isRight = await verify({ app: home, ref: username, user, password, network })
    if (!isRight || user === null) throw badCredentials()
    return tokens.signIn(user, app, { ...asked, how: 'password', revoked, fields })
  }
