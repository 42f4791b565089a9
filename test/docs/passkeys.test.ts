import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PASSWORD, sharedServer } from '../support/application.js'
import { INSTALL_TIMEOUT, launchChromium } from '../support/chromium.js'

/** Of the page, as a browser runs it. */
const SNIPPET = /```js\n([\s\S]*?)```/.exec(
  readFileSync(new URL('../../docs/second-factor.md', import.meta.url), 'utf8'),
)![1]!

const server = sharedServer('memory')
let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
}, INSTALL_TIMEOUT)
afterAll(() => browser?.close())

it('what the page on second factors has for browsers adds a passkey, and signs in with it', async () => {
  const app = await server.application()
  const { path, admin } = await app.newApplication('shop')
  const { port } = new URL(app.url)
  const origin = `http://localhost:${port}`
  await admin.put('', { passkeys: { origins: [origin] } })
  const ann = await app.signedUp('ann', {}, path)
  const page = await browser.newPage()
  await page.route(`${origin}/`, (route) => route.fulfill({ contentType: 'text/html', body: '<p>A page' }))
  await page.goto(`${origin}/`)
  const devices = await page.context().newCDPSession(page)
  await devices.send('WebAuthn.enable')
  await devices.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true },
      ...{ hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    },
  })
  const code = SNIPPET.replace('https://api.example.org/demo/shop', `${origin}${path}`)
  const run = (call: string) => page.evaluate(`(async () => { ${code}; return ${call} })()`)

  const added = await run(`addPasskey(${JSON.stringify(ann.token)}, 'This computer')`)
  const alone = await run('signInWithPasskey()')
  const second = await run(`signIn('ann', ${JSON.stringify(PASSWORD)})`)

  expect(added).toMatchObject({ data: { name: 'This computer', recoveryCodes: expect.any(Array) } })
  expect(alone).toMatchObject({ access_token: expect.any(String), user: { uuid: ann.uuid } })
  expect(second).toMatchObject({ access_token: expect.any(String), user: { uuid: ann.uuid } })
})
