/** The scripts in everyday use, which Unicode recommends for identifiers (UAX 31, table 5), the commonest first. */
const SCRIPTS = [
  ['Latin'],
  ['Cyrillic'],
  ['Han'],
  ['Arabic'],
  ['Greek'],
  ['Hangul'],
  ['Devanagari'],
  ['Hebrew'],
  ['Thai'],
  ['Hiragana'],
  ['Katakana'],
  ['Bopomofo'],
  ['Armenian'],
  ['Bengali'],
  ['Ethiopic'],
  ['Georgian'],
  ['Gujarati'],
  ['Gurmukhi'],
  ['Kannada'],
  ['Khmer'],
  ['Lao'],
  ['Malayalam'],
  ['Myanmar'],
  ['Oriya'],
  ['Sinhala'],
  ['Tamil'],
  ['Telugu'],
  ['Thaana'],
  ['Tibetan'],
  // What is written together.
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Bopomofo'],
  ['Latin', 'Han', 'Hangul'],
]

const ASCII = /^[\x20-\x7e]*$/

const PATTERNS = SCRIPTS.map((scripts) => {
  const classes = scripts.map((script) => `\\p{scx=${script}}`).join('')
  return new RegExp(`^[\\p{scx=Common}\\p{scx=Inherited}${classes}]*$`, 'u')
})

/**
 * Whether a text keeps to one script, or to scripts that are written together ("highly restrictive", UTS 39,
 * section 5.2), so that no letter of it stands in for one of another script that looks like it.
 */
export const isOneScript = (text: string): boolean =>
  ASCII.test(text) || PATTERNS.some((pattern) => pattern.test(text))
