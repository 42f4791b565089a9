/** Addresses in mails. They begin with what was configured, and never with what a request says. */
export class Links {
  readonly #base: string | null

  constructor(publicUrl: string | undefined) {
    this.#base = publicUrl?.replace(/\/+$/, '') ?? null
  }

  get known(): boolean {
    return this.#base !== null
  }

  /** `path` begins with a slash. `null` where no public URL is set. */
  to(path: string, token?: string): string | null {
    if (this.#base === null) return null
    return `${this.#base}${path}${token === undefined ? '' : `?token=${token}`}`
  }
}
