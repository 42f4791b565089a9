import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { newUuid } from '../../domain/uuid.js'
import { NO_FILES } from './smtp-mailer.js'
import type { Mail, Mailer } from './types.js'

export interface FileMailerOptions {
  /** Made when it is not there. */
  folder: string
  from: string
}

/** Writes each mail as a file `*.eml` into a folder, readable by its owner alone; names are in order of time. */
export class FileMailer implements Mailer {
  readonly #transport = createTransport({ streamTransport: true, buffer: true })
  readonly #folder: string
  readonly #from: string

  constructor({ folder, from }: FileMailerOptions) {
    this.#folder = folder
    this.#from = from
  }

  async send({ to, ...mail }: Mail): Promise<void> {
    const whole = { ...mail, to: { name: '', address: to }, from: this.#from, ...NO_FILES }
    const { message } = await this.#transport.sendMail(whole)
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await writeFile(join(this.#folder, `${newUuid()}.eml`), message, { mode: 0o600, flag: 'wx' })
  }
}
