/** The header by which a browser of a test tells the issuer of a test who sits before it. */
export const PERSON = 'x-person'

/**
 * Follows redirects as a browser with cookies does, until it is sent to an address that begins with `until`, or gets
 * a page; `here` says where an address really is.
 */
export const browse = async (
  start: string,
  { person, until, here }: { person: string; until: string; here: (url: string) => string },
): Promise<{ url: URL; status: number; text: string }> => {
  const cookies = new Map<string, string>()
  let url = start
  for (let hops = 0; hops < 15; hops++) {
    const response = await fetch(here(url), {
      redirect: 'manual',
      headers: {
        [PERSON]: person,
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      cookies.set(name, value)
    }
    const text = await response.text()
    const location = response.headers.get('location')
    if (location === null) return { url: new URL(url), status: response.status, text }
    url = new URL(location, url).href
    if (url.startsWith(until)) return { url: new URL(url), status: response.status, text: '' }
  }
  throw new Error(`No end of redirects at ${url}`)
}
