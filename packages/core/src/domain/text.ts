/** The last sigma of a Greek word, and halves of surrogate pairs. */
const IRREGULAR = /[ς\p{Cs}]/gu

/**
 * The form in which strings and property names are compared: lower-case. Folding a part of a text gives a
 * part of the folded text, so a final sigma becomes a plain one; half a surrogate pair, which has no
 * UTF-8 form, becomes U+FFFD.
 */
export const fold = (text: string): string =>
  text.toLowerCase().replace(IRREGULAR, (character) => (character === 'ς' ? 'σ' : '\ufffd'))

/** Order of two folded texts by code points, which is the order of their UTF-8 bytes. */
export const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [unitOfA, unitOfB] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (unitOfA !== unitOfB) return rank(unitOfA) - rank(unitOfB)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above U+FFFF, so they rank after all other UTF-16 units. */
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit)

const WORD = /[\p{L}\p{N}\p{M}]+/gu
const MAX_WORD = 64

/** A word as the index holds it: its first 64 characters. */
export const cutWord = (word: string): string =>
  word.length <= MAX_WORD ? word : [...word].slice(0, MAX_WORD).join('')

/** The distinct words of a text: lower-case runs of letters, digits and marks, cut at 64 characters. */
export const words = (text: string): string[] => [...new Set((fold(text).match(WORD) ?? []).map(cutWord))]
