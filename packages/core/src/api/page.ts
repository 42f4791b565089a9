import { type Html, html } from '../domain/html.js'
import type { ApiReply } from './request.js'

/** A page for people. */
export interface Page {
  title: string
  /** What is below the title. */
  content: Html
  /** 200 when absent. */
  status?: number
  /** Origins of a script that the page loads, such as a captcha's. */
  scripts?: readonly string[]
  /** Where forms may lead besides this server: browsers also ask when the reply to a form is a redirect. */
  formsLeadTo?: readonly string[]
}

const STYLE = html`
:root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif }
body { margin: 0; padding: 1.5rem 1rem }
main { max-width: 26rem; margin: 0 auto }
h1 { font-size: 1.5rem; line-height: 1.2 }
label { display: block; margin: 1rem 0 .25rem }
input { box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; border: 1px solid #767676; border-radius: .3rem }
button { margin-top: 1.25rem; padding: .7rem 1.25rem; font: inherit; color: #fff; background: #1a56b0; border: 0; border-radius: .3rem }
:focus-visible { outline: 3px solid #e08600; outline-offset: 2px }
[role=alert] { padding: .6rem .8rem; border-left: .3rem solid #c62828 }
[role=status] { padding: .6rem .8rem; border-left: .3rem solid #2e7d32 }
`

/**
 * Serves a page that runs no scripts but those of `scripts`, posts forms to this server, fits into no frame, is
 * not kept, and does not tell its address, which may hold a token, to where its links lead.
 */
export const pageReply = ({
  title,
  content,
  status = 200,
  scripts = [],
  formsLeadTo = [],
}: Page): ApiReply => ({
  status,
  body: html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`.text,
  headers: {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy(scripts, formsLeadTo),
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  },
})

const policy = (scripts: readonly string[], formsLeadTo: readonly string[]): string => {
  const sources = scripts.join(' ')
  const loaded =
    sources === '' ? [] : [`script-src ${sources}`, `frame-src ${sources}`, `connect-src ${sources}`]
  return [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    ...loaded,
    ["form-action 'self'", ...formsLeadTo].join(' '),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
}

/** Sends a browser to another page, which does not learn where it comes from. */
export const redirectReply = (url: string): ApiReply => ({
  status: 303,
  body: '',
  headers: { Location: url, 'Referrer-Policy': 'no-referrer', 'Cache-Control': 'no-store' },
})

/** What went wrong, or what was done, read out by screen readers at once. */
export const notice = (text: string, kind: 'alert' | 'status'): Html => html`<p role="${kind}">${text}</p>`
