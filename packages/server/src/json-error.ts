const BLANK = /[ \t\n\r]*/y
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/**
 * Index of the first character that cannot continue a JSON text (RFC 8259), or the text's length when it ends
 * too early. `JSON.parse` does not always say where it stopped; this is asked only after it has refused.
 * Recurses once per level, so the text's depth must have been checked.
 */
export const jsonErrorAt = (text: string): number => {
  const scan = new JsonScan(text)
  if (scan.value()) scan.blanks()
  return scan.at
}

/** Each method moves `at` past what it is named for, or returns false with `at` on the offending character. */
class JsonScan {
  readonly #text: string
  at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): boolean {
    this.blanks()
    const char = this.#text[this.at]
    if (char === '{') return this.#items('}', () => this.#string() && this.#takes(':') && this.value())
    if (char === '[') return this.#items(']', () => this.value())
    return char === '"' ? this.#string() : this.#matches(SCALAR)
  }

  blanks(): void {
    this.#matches(BLANK)
  }

  #items(closer: string, item: () => boolean): boolean {
    this.at += 1
    if (this.#takes(closer)) return true
    do if (!item()) return false
    while (this.#takes(','))
    return this.#takes(closer)
  }

  #takes(char: string): boolean {
    this.blanks()
    if (this.#text[this.at] !== char) return false
    this.at += 1
    return true
  }

  #string(): boolean {
    if (!this.#takes('"')) return false
    while (this.at < this.#text.length) {
      const char = this.#text[this.at]!
      if (char === '"') return this.#takes('"')
      if (char < ' ') return false
      if (char !== '\\') this.at += 1
      else if (!this.#matches(ESCAPE)) return false
    }
    return false
  }

  #matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    if (!pattern.test(this.#text)) return false
    this.at = pattern.lastIndex
    return true
  }
}
