import { notice, type Page } from '../../api/page.js'
import { type Html, html } from '../../domain/html.js'
import type { Outcome } from './accounts.js'
import { widget, widgetSources } from './captcha.js'
import type { Captcha, Realm } from './types.js'

const FORGOTTEN = 'Forgotten password'

/** Asks for the e-mail address. `action` is where it goes, seen from the page. */
export const emailPage = (
  realm: Realm,
  {
    captcha,
    action,
    problem = null,
  }: { captcha: Captcha | undefined; action: string; problem?: string | null },
): Page => ({
  title: FORGOTTEN,
  scripts: captcha === undefined ? [] : widgetSources(captcha),
  content: html`${alertOf(problem)}
<p>Enter the e-mail address of your account at ${realm.title}. You get a mail with a link to choose a new password.</p>
<form method="post" action="${action}">
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="email" required${described(problem)}>
${captcha === undefined ? null : widget(captcha)}
<button type="submit">Send the mail</button>
</form>`,
})

/** Asks for the new password, twice. */
export const passwordPage = (
  realm: Realm,
  { name, token, problem = null }: { name: string; token: string; problem?: string | null },
): Page => ({
  title: 'Choose a new password',
  content: html`${alertOf(problem)}
<p>For your account at ${realm.title}.</p>
<form method="post" action="resetpw">
<input type="hidden" name="token" value="${token}">
<input name="username" type="text" autocomplete="username" value="${name}" hidden>
<label for="password1">New password</label>
<input id="password1" name="password1" type="password" autocomplete="new-password" required${described(problem)}>
<label for="password2">The same again</label>
<input id="password2" name="password2" type="password" autocomplete="new-password" required${described(problem)}>
<button type="submit">Set the password</button>
</form>`,
})

/** Says what was done. */
export const donePage = (title: string, text: string): Page => ({ title, content: notice(text, 'status') })

export const sentPage = (text: string): Page => donePage(FORGOTTEN, text)

/** What a link of a mail leads to: nothing is done before the button is pressed. */
export const buttonPage = (
  { title, words: { noun } }: Realm,
  purpose: 'confirm' | 'activate',
  token: string,
): Page => {
  const [heading, label] =
    purpose === 'confirm' ? [`Confirm the ${noun}`, 'Confirm'] : [`Approve of the ${noun}`, 'Approve']
  return {
    title: heading,
    content: html`<p>At ${title}.</p>
<form method="post" action="${purpose}">
<input type="hidden" name="token" value="${token}">
<button type="submit">${label}</button>
</form>`,
  }
}

/** What a link of a mail did. */
export const outcomePage = ({ words: { noun } }: Realm, outcome: Outcome): Page => {
  switch (outcome) {
    case 'activated':
      return donePage(`The ${noun} is active`, `The ${noun} is active, and can be used.`)
    case 'confirmed':
      return donePage(
        `The ${noun} is confirmed`,
        `The ${noun} is confirmed, and has to be approved now. A mail tells when that is done.`,
      )
    default:
      return {
        title: 'This link does not work',
        status: 400,
        content: notice('The link was used before, is older than seven days, or is not complete.', 'alert'),
      }
  }
}

const alertOf = (problem: string | null): Html | null =>
  problem === null ? null : html`<div id="problem">${notice(problem, 'alert')}</div>`

const described = (problem: string | null): Html | null =>
  problem === null ? null : html` aria-invalid="true" aria-describedby="problem"`
