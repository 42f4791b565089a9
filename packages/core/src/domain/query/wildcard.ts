type Matches = (text: string) => boolean

/**
 * A matcher for whole texts of a form in which `*` is any run of characters. Each piece between stars is looked
 * for once, from left to right, so the time is that of reading the text, whatever the pattern.
 */
export const wildcard = (pattern: string): Matches => {
  const pieces = pattern.split('*')
  const [first, last] = [pieces[0]!, pieces.at(-1)!]
  if (pieces.length === 1) return (text) => text === pattern
  const finders = pieces
    .slice(1, -1)
    .filter((piece) => piece !== '')
    .map(finder)
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false
    let at = first.length
    for (const endOf of finders) {
      at = endOf(text, at)
      if (at === -1) return false
    }
    return at <= text.length - last.length
  }
}

export const matchesWildcard = (pattern: string, text: string): boolean => wildcard(pattern)(text)

/** `indexOf` may compare a piece anew at every place of a text, so longer ones are looked for as below. */
const SHORT = 32

/** Where the first occurrence of a piece ends, or -1. */
const finder = (piece: string): ((text: string, from: number) => number) => {
  if (piece.length <= SHORT) {
    return (text, from) => {
      const at = text.indexOf(piece, from)
      return at === -1 ? -1 : at + piece.length
    }
  }
  const borders = bordersOf(piece)
  return (text, from) => {
    let matched = 0
    for (let at = from; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      while (matched > 0 && piece.charCodeAt(matched) !== unit) matched = borders[matched - 1]!
      if (piece.charCodeAt(matched) === unit) matched++
      if (matched === piece.length) return at + 1
    }
    return -1
  }
}

/** How much of each beginning of a piece is also its end: what a failed comparison need not look at again (Knuth, Morris, Pratt). */
const bordersOf = (piece: string): Uint32Array => {
  const borders = new Uint32Array(piece.length)
  let border = 0
  for (let at = 1; at < piece.length; at++) {
    while (border > 0 && piece[at] !== piece[border]) border = borders[border - 1]!
    if (piece[at] === piece[border]) border++
    borders[at] = border
  }
  return borders
}
