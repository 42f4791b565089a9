import { expect, it } from 'vitest'
import { Outbox } from './outbox.js'
import type { Mail } from './types.js'

const MAIL: Mail = { to: 'mia@example.test', subject: 'Hello', text: '', html: '' }

/** An outbox, and what it says. */
const open = (send: (mail: Mail) => Promise<void>, patience?: number) => {
  const said: unknown[] = []
  const say = (fields: object, message: string) => said.push({ ...fields, message })
  let closed = false
  const mailer = {
    send,
    close: () => {
      closed = true
    },
  }
  return {
    said,
    isClosed: () => closed,
    outbox: new Outbox({ mailer, log: { warn: say, error: say }, patience }),
  }
}

it('sends what is under way before it closes, what is added meanwhile, too', async () => {
  const sent: string[] = []
  const { outbox, said, isClosed } = open(async ({ subject }) => {
    sent.push(subject)
  })
  outbox.run('a request', async () => outbox.send(MAIL))
  expect(sent, 'before the caller goes on').toEqual([])

  await outbox.close()

  expect([sent, said, isClosed()]).toEqual([['Hello'], [], true])
})

it('logs what cannot be sent, and goes on', async () => {
  const { outbox, said } = open(() => Promise.reject(new Error('mailbox full')))

  outbox.send(MAIL)
  outbox.send({ ...MAIL, to: 'mia@example.test, eve@example.test' })
  await outbox.close()

  expect(said).toMatchObject([
    { subject: 'Hello', message: expect.stringContaining('no valid e-mail address') },
    { err: new Error('mailbox full'), mail: 'Hello', message: 'a mail could not be sent' },
  ])
})

it('gives up what a mail server does not take in time, and what is too much', async () => {
  const { outbox, said, isClosed } = open(() => new Promise(() => undefined), 1)
  for (let i = 0; i < 1001; i++) outbox.send(MAIL)

  await outbox.close()

  expect(said).toMatchObject([
    { mail: 'Hello', message: 'a mail was not sent: too many are under way' },
    { left: 1000, message: expect.stringContaining('given up') },
  ])
  expect(isClosed()).toBe(true)
})
