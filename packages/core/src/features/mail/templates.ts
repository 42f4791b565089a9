import { type Html, html } from '../../domain/html.js'
import type { Mail } from './types.js'

/** What a mail says: to whom, about what, and what the reader can do. */
export interface Letter {
  to: string
  subject: string
  paragraphs: readonly string[]
  /** Where the reader goes next. */
  link?: { label: string; url: string } | undefined
  /** Smaller, at the end. */
  note?: string | undefined
}

/** A letter as text and as HTML, which say the same. */
export const mailOf = ({ to, subject, paragraphs, link, note }: Letter): Mail => {
  const lines = [...paragraphs, ...(link === undefined ? [] : [`${link.label}:\n${link.url}`])]
  if (note !== undefined) lines.push(note)
  return {
    to,
    subject: oneLine(subject),
    text: `${lines.map(plain).join('\n\n')}\n`,
    html: htmlOf({ to, subject, paragraphs, link, note }).text,
  }
}

const htmlOf = ({ subject, paragraphs, link, note }: Letter): Html => html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${oneLine(subject)}</title></head>
<body style="font:16px/1.5 sans-serif;max-width:32em">
${paragraphs.map((text) => html`<p>${text}</p>\n`)}${
  link === undefined ? null : html`<p><a href="${link.url}">${link.label}</a></p>\n<p>${link.url}</p>\n`
}${note === undefined ? null : html`<p style="font-size:14px">${note}</p>\n`}</body>
</html>
`

/** Names of people and organizations may have whatever they put there. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, 200)

const plain = (text: string): string => text.replaceAll(/[^\P{Cc}\n]+/gu, ' ')
