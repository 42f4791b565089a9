import { notice, pageReply } from '../../api/page.js'
import type { ApiReply } from '../../api/request.js'
import { type Html, html } from '../../domain/html.js'
import { sourceOf, withParams } from './redirect-uri.js'

/** What the pages of a sign-in have in common. */
export interface SignInPage {
  /** Whom one signs in to. */
  name: string
  /** Where the page leads to in the end. */
  redirectUri: string
  /** Parameters of the request, which come again with the form. */
  carried: Readonly<Record<string, string>>
  /** Names of others that one may sign in with. */
  providers: readonly string[]
  problem: string | null
  status?: number
}

/** The page on which people sign in for a program that they came from; `username` is what they typed before. */
export const passwordPage = ({ username, ...page }: SignInPage & { username: string }): ApiReply =>
  signInPage(
    page,
    html`<label for="username">Username or e-mail address</label>
<input id="username" name="username" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>`,
    page.providers.map((provider) => linkTo(provider, page.carried)),
  )

/** The page after it, for those who have a second factor; `step` says whose password was right. */
export const codePage = ({ step, ...page }: SignInPage & { step: string }): ApiReply =>
  signInPage(
    page,
    html`${hidden('step', step)}<label for="code">Code of your authenticator app, or a recovery code</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required>`,
    [],
  )

const signInPage = (
  { name, redirectUri, carried, problem, status = 200 }: SignInPage,
  fields: Html,
  links: readonly Html[],
): ApiReply =>
  pageReply({
    title: `Sign in to ${name}`,
    status,
    formsLeadTo: [sourceOf(redirectUri)],
    content: html`${problem === null ? null : notice(problem, 'alert')}
<p>You go on to ${placeOf(redirectUri)}.</p>
<form method="post" action="?">
${Object.entries(carried).map(([key, value]) => hidden(key, value))}
${fields}
<button type="submit">Sign in</button>
</form>
${links}`,
  })

const hidden = (name: string, value: string): Html =>
  html`<input type="hidden" name="${name}" value="${value}">\n`

const linkTo = (provider: string, carried: Readonly<Record<string, string>>): Html =>
  html`<p><a href="${withParams(`auth/${provider}/start`, carried)}">Sign in with ${provider}</a></p>\n`

/** What people know a place by. */
const placeOf = (uri: string): string => {
  const { host, protocol } = new URL(uri)
  return host === '' ? protocol : host
}
