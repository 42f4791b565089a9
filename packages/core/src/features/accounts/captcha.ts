import { type Html, html } from '../../domain/html.js'
import type { Captcha } from './types.js'

const SCRIPT = 'https://www.google.com/recaptcha/api.js'
/** Names under which widgets and old clients send what the widget made. */
const FIELDS = [
  'g-recaptcha-response',
  'h-captcha-response',
  'cf-turnstile-response',
  'recaptcha_response_field',
  'recaptcha_response',
]
/** Milliseconds. */
const PATIENCE = 10_000

export const widget = ({ siteKey, script = SCRIPT, className = 'g-recaptcha' }: Captcha): Html =>
  html`<div class="${className}" data-sitekey="${siteKey}"></div>
<script src="${script}" async defer></script>`

/** Origins that the page must let in for the widget. */
export const widgetSources = ({ script = SCRIPT }: Captcha): string[] => {
  const { origin } = new URL(script)
  return script === SCRIPT ? [origin, 'https://www.gstatic.com'] : [origin]
}

/** What the widget sent, or `null`. */
export const responseIn = (fields: Readonly<Record<string, unknown>>): string | null => {
  const found = FIELDS.map((field) => fields[field]).find(
    (value) => typeof value === 'string' && value !== '',
  )
  return (found as string | undefined) ?? null
}

export interface SiteVerifyOptions extends Omit<Captcha, 'verify'> {
  secret: string
  /** Where responses are checked; by default reCAPTCHA's. hCaptcha and Turnstile have the same protocol. */
  url?: string | undefined
}

/** A captcha of a service that checks responses by a POST of `secret` and `response`. A service that fails lets nobody in. */
export const siteVerifyCaptcha = ({
  secret,
  url = 'https://www.google.com/recaptcha/api/siteverify',
  ...captcha
}: SiteVerifyOptions): Captcha => ({
  ...captcha,
  verify: async (response, address) => {
    const body = new URLSearchParams({
      secret,
      response,
      ...(address !== undefined && { remoteip: address }),
    })
    try {
      const reply = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(PATIENCE) })
      const result: unknown = await reply.json()
      return typeof result === 'object' && result !== null && 'success' in result && result.success === true
    } catch {
      return false
    }
  },
})
