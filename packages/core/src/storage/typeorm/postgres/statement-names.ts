import { createHash } from 'node:crypto'

const LIMIT = 500

/**
 * Names under which statements are prepared, once per connection, for as long as the connection lives. A text
 * gets one when it is seen again: one-off statements would fill the server's memory. So would too many names;
 * past the limit statements are planned each time.
 */
export class StatementNames {
  readonly #names = new Map<string, string>()
  #seenOnce = new Set<string>()

  of(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || this.#names.size >= LIMIT) return known
    if (!this.#seenOnce.delete(text)) {
      if (this.#seenOnce.size >= LIMIT) this.#seenOnce.clear()
      this.#seenOnce.add(text)
      return undefined
    }
    const name = createHash('sha256').update(text).digest('base64url').slice(0, 16)
    this.#names.set(text, name)
    return name
  }
}
