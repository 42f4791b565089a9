import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { openTestEngine } from '@entigrid/core/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { INSTALL_TIMEOUT, launchChromium } from '../../test/support/chromium.js'
import { createNotesApp } from './app.js'

const PASSWORD = 'correct horse battery'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
}, INSTALL_TIMEOUT)
afterAll(() => browser?.close())

const open = async () => {
  const { engine, close } = await openTestEngine('memory')
  await engine.bootstrap({ username: 'admin', organization: 'notes' })
  const server = (await createNotesApp(engine)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const contexts: { close(): Promise<void> }[] = []
  /** What no page may do: throw, or run what somebody wrote into a note. */
  const faults: string[] = []
  const visit = async () => {
    const context = await browser.newContext()
    contexts.push(context)
    const page = await context.newPage()
    page.setDefaultTimeout(10_000)
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('dialog', (dialog) => faults.push(dialog.message()))
    await page.goto(url)
    return page
  }
  return {
    url,
    faults,
    visit,
    [Symbol.asyncDispose]: async () => {
      for (const context of contexts) await context.close()
      server.close()
      server.closeAllConnections()
      await close()
    },
  }
}

const enter = async (page: Page, username: string, button: 'Sign in' | 'Sign up', password = PASSWORD) => {
  await page.getByLabel('Name').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: button }).click()
}

const signUp = async (page: Page, username: string) => {
  await enter(page, username, 'Sign up')
  await page.locator('#who', { hasText: username }).waitFor()
}

const write = async (page: Page, title: string, text: string) => {
  await page.getByRole('button', { name: 'New note' }).click()
  await page.getByLabel('Title').fill(title)
  await page.getByLabel('Text').fill(text)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved').waitFor()
}

const shareWith = async (page: Page, username: string) => {
  await page.getByLabel('Share with').fill(username)
  await page.getByRole('button', { name: 'Share', exact: true }).click()
}

const status = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text }).waitFor()
const wrote = (page: Page) => page.locator('#wrote li')
const received = (page: Page) => page.locator('#received li')

it('keeps the notes of somebody who signs up, over a reload and a new sign-in', async () => {
  await using app = await open()
  const page = await app.visit()
  await signUp(page, 'ann')

  await write(page, 'Shopping', 'Milk and bread')
  await write(page, 'Garden', 'Sow the beans')

  await page.reload()
  await wrote(page).nth(1).waitFor()
  expect(await wrote(page).allInnerTexts()).toEqual(['Garden\nSow the beans', 'Shopping\nMilk and bread'])
  await page.getByRole('button', { name: 'Sign out' }).click()
  await enter(page, 'ann', 'Sign in')
  await wrote(page).filter({ hasText: 'Shopping' }).getByRole('button').click()
  await expect.poll(() => page.getByLabel('Text').inputValue()).toBe('Milk and bread')
  expect(app.faults).toEqual([])
})

it('gives a note to somebody else, who may change it', async () => {
  await using app = await open()
  const [anns, bobs] = [await app.visit(), await app.visit()]
  await signUp(anns, 'ann')
  await signUp(bobs, 'bob')
  await write(anns, 'Shopping', 'Milk')

  await shareWith(anns, 'bob')
  await status(anns, 'bob has it now')

  await bobs.reload()
  await received(bobs).filter({ hasText: 'from ann' }).getByRole('button').click()
  await expect.poll(() => bobs.getByLabel('Text').inputValue()).toBe('Milk')
  await bobs.getByLabel('Text').fill('Milk and bread')
  await bobs.getByRole('button', { name: 'Save' }).click()
  await status(bobs, 'Saved')
  await wrote(anns).getByRole('button').click()
  await expect.poll(() => anns.getByLabel('Text').inputValue()).toBe('Milk and bread')
  expect(app.faults).toEqual([])
})

it('lets nobody overwrite unseen what somebody else wrote meanwhile', async () => {
  await using app = await open()
  const [anns, bobs] = [await app.visit(), await app.visit()]
  await signUp(anns, 'ann')
  await signUp(bobs, 'bob')
  await write(anns, 'Shopping', 'Milk')
  await shareWith(anns, 'bob')
  await status(anns, 'bob has it now')
  await bobs.reload()
  await received(bobs).filter({ hasText: 'from ann' }).getByRole('button').click()
  await expect.poll(() => bobs.getByLabel('Text').inputValue()).toBe('Milk')

  await anns.getByLabel('Title').fill('Shopping today')
  await anns.getByLabel('Text').fill('Milk and eggs')
  await anns.getByRole('button', { name: 'Save' }).click()
  await status(anns, 'Saved')
  await bobs.getByLabel('Text').fill('Milk and bread')
  await bobs.getByRole('button', { name: 'Save' }).click()

  await status(bobs, 'They have text: Milk and eggs. Save again')
  expect(await bobs.getByLabel('Title').inputValue()).toBe('Shopping today')
  await bobs.getByLabel('Text').fill('Milk, eggs and bread')
  await bobs.getByRole('button', { name: 'Save' }).click()
  await status(bobs, 'Saved')
  await wrote(anns).getByRole('button').click()
  await expect.poll(() => anns.getByLabel('Text').inputValue()).toBe('Milk, eggs and bread')
  expect(app.faults).toEqual([])
})

it('takes a received note off the list, and deletes one of its own for all', async () => {
  await using app = await open()
  const [anns, bobs] = [await app.visit(), await app.visit()]
  await signUp(anns, 'ann')
  await signUp(bobs, 'bob')
  for (const title of ['First', 'Second']) {
    await write(anns, title, 'for bob')
    await shareWith(anns, 'bob')
    await status(anns, 'bob has it now')
  }
  await bobs.reload()

  await received(bobs).filter({ hasText: 'First' }).getByRole('button').click()
  await bobs.getByRole('button', { name: 'Remove from my list' }).click()
  await status(bobs, 'Removed from your list')
  expect(await received(bobs).allInnerTexts()).toEqual(['Second\nfrom ann'])
  expect(await wrote(anns).count()).toBe(2)

  await wrote(anns).filter({ hasText: 'Second' }).getByRole('button').click()
  await anns.getByRole('button', { name: 'Delete' }).click()
  await status(anns, 'Deleted')
  await bobs.reload()
  await bobs.locator('#who', { hasText: 'bob' }).waitFor()
  await expect.poll(() => received(bobs).count()).toBe(0)
  expect(app.faults).toEqual([])
})

it('says what went wrong', async () => {
  await using app = await open()
  const page = await app.visit()

  await enter(page, 'ann', 'Sign up', 'short')
  await status(page, 'at least 8')
  await enter(page, 'ann', 'Sign in')
  await status(page, 'invalid username or password')
  await signUp(page, 'ann')
  await write(page, 'Shopping', 'Milk')
  await shareWith(page, 'nobody')
  await status(page, 'There is nobody called nobody')

  const another = await app.visit()
  await enter(another, 'ann', 'Sign up')
  await status(another, 'The name ann is taken')
  expect(app.faults).toEqual([])
})

it('shows what others wrote as text, whatever it is', async () => {
  await using app = await open()
  const page = await app.visit()
  await signUp(page, 'ann')

  await write(page, '<img src=x onerror=alert(1)>', '<script>alert(2)</script>')

  expect(await wrote(page).allInnerTexts()).toEqual([
    '<img src=x onerror=alert(1)>\n<script>alert(2)</script>',
  ])
  expect(await page.locator('#wrote img').count()).toBe(0)
  expect(app.faults).toEqual([])
})

it('keeps notes from those who were not given them', async () => {
  await using app = await open()
  const [anns, bobs] = [await app.visit(), await app.visit()]
  await signUp(anns, 'ann')
  await signUp(bobs, 'bob')
  await write(anns, 'Diary', 'Nobody shall read this')

  const paths = [
    '/notes',
    '/notes/all',
    '/notes?ql=select%20*',
    '/users/ann/wrote',
    '/users/ann/received',
    '/users',
  ]
  const replies = await bobs.evaluate(
    (urls) =>
      Promise.all(
        urls.map(async (url) => {
          const reply = await fetch(url, {
            headers: { authorization: `Bearer ${sessionStorage.getItem('notes-token')}` },
          })
          return { url, status: reply.status, text: await reply.text() }
        }),
      ),
    paths.map((path) => `/api/notes/app${path}`),
  )

  expect(replies.map(({ status }) => status)).toEqual(paths.map(() => 401))
  expect(replies.map(({ text }) => text).join()).not.toContain('Nobody shall read this')
})
