/**
 * Whether a whole text has the form of a pattern, in which `*` is any run of characters. Each piece
 * between stars is looked for once, from left to right, so no pattern makes the search repeat itself.
 */
export const matchesWildcard = (pattern: string, text: string): boolean => {
  const pieces = pattern.split('*')
  const [first, last] = [pieces[0]!, pieces.at(-1)!]
  if (pieces.length === 1) return pattern === text
  const end = text.length - last.length
  if (!text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at)
    if (found === -1) return false
    at = found + piece.length
  }
  return at <= end
}
