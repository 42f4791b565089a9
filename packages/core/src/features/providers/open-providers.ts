import type { Application } from '../../api/caller.js'
import type { AppCall, Call, Route } from '../../api/route.js'
import type { Engine } from '../../engine/engine.js'
import {
  type GrantType,
  type PasswordProof,
  secretBox,
  type TokenRoutes,
  type Tokens,
} from '../auth/index.js'
import {
  Authorize,
  authorizeRoutes,
  CodeStep,
  Codes,
  codeGrant,
  OneTimeTexts,
  Redirects,
} from '../authorize/index.js'
import type { SecondSteps } from '../factors/index.js'
import { guardedFetch } from '../outbound/index.js'
import { disown, disownDevices } from './disown.js'
import { type Confirm, Identities } from './identities.js'
import { Issuers } from './issuers.js'
import { ProviderSignIn } from './provider-sign-in.js'
import { Providers } from './providers.js'
import { providerRoutes } from './routes.js'

export interface ProvidersSetup {
  engine: Engine
  secret: Buffer
  /** UTC milliseconds. */
  clock: () => number
  /** The application that keeps applications and administrators. */
  management: { id: number; uuid: string }
  tokens: Tokens
  prove: PasswordProof
  steps: SecondSteps
  signing: TokenRoutes
  confirming: (app: Application) => Promise<Confirm>
  publicUrl: string | undefined
  allowPrivateNetworks: boolean
  warn: (fields: object, message: string) => void
}

/** Signing in with a browser, here or at providers: endpoints of both planes, and the grant that they end in. */
export const openProviders = (
  setup: ProvidersSetup,
): { management: Route<Call>[]; app: Route<AppCall>[]; grant: GrantType } => {
  const { engine, secret, clock, management, tokens, signing, allowPrivateNetworks, warn } = setup
  const home = { engine, management: management.id }
  const codes = new Codes(secretBox(secret, 'authorization codes'))
  const redirects = new Redirects(home)
  const providers = new Providers({
    ...home,
    box: secretBox(secret, 'provider secrets'),
    allowPrivateNetworks,
  })
  const publicUrl = setup.publicUrl?.replace(/\/+$/, '')
  const signIn = new ProviderSignIn({
    ...{ engine, providers, redirects, codes, tokens },
    issuers: new Issuers({
      fetch: guardedFetch({ allowPrivateNetworks }),
      allowInsecure: allowPrivateNetworks,
      clock,
      report: ({ name, issuer }, error) =>
        warn({ provider: name, issuer, reason: reasonOf(error) }, 'a provider signed nobody in'),
    }),
    identities: new Identities({
      management: management.id,
      disown: (edits, user) => disown(tokens, edits, user),
    }),
    states: new OneTimeTexts('state', secretBox(secret, 'sign-ins at providers')),
    publicUrl,
    confirming: setup.confirming,
    takenOver: (user) => disownDevices(engine, user),
  })
  const authorize = new Authorize({
    ...{ engine, codes, redirects, tokens, management },
    ...{ prove: setup.prove, codeStep: new CodeStep(setup.steps), request: signing.request },
    steps: new OneTimeTexts('step', secretBox(secret, 'steps of sign-ins')),
    providers: async (app) =>
      publicUrl === undefined ? [] : (await providers.list(app)).map(({ name }) => name),
  })
  const routes = authorizeRoutes({ authorize, redirects, management: management.uuid })
  const doors = { providers, signIn, request: signing.request, reply: signing.reply }
  return {
    management: routes.management,
    app: [...routes.app, ...providerRoutes(doors)],
    grant: codeGrant({ ...home, codes }),
  }
}

/** What errors say: what else they carry, such as claims and addresses, tells of people. */
const reasonOf = (error: unknown): string =>
  error instanceof Error
    ? error.message + (error.cause instanceof Error ? `: ${reasonOf(error.cause)}` : '')
    : 'unknown'
