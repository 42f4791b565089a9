/** A page, as people and browsers get it. */
export interface ReadPage {
  status: number
  headers: Headers
  html: string
  /** What is read of it. */
  text: string
}

export const readPage = async (url: string, init: RequestInit = {}): Promise<ReadPage> => {
  const response = await fetch(url, { redirect: 'manual', ...init })
  const html = await response.text()
  const text = html
    .replace(/<style>.*<\/style>/s, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ')
  return { status: response.status, headers: response.headers, html, text }
}

/** Sends a form as a browser does. */
export const postForm = (url: string, fields: Record<string, string>): Promise<ReadPage> =>
  readPage(url, { method: 'POST', body: new URLSearchParams(fields) })

/** The inputs of a page. */
export const fieldsIn = (html: string): { name: string; type: string }[] =>
  [...html.matchAll(/<input [^>]*>/g)].map(([input]) => ({
    name: / name="([^"]*)"/.exec(input)?.[1] ?? '',
    type: / type="([^"]*)"/.exec(input)?.[1] ?? '',
  }))

/** Opens the link of a mail, and presses the button there if there is one. */
export const followed = async (url: string): Promise<ReadPage> => {
  const page = await readPage(url)
  const hasButton = /<form method="post" action="(?:confirm|activate)">/.test(page.html)
  const token = new URL(url).searchParams.get('token')
  return hasButton && token !== null ? postForm(url.split('?')[0]!, { token }) : page
}
