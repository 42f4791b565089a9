/** A letter takes a handful of marks; more than 30 are outside of what Unicode calls stream-safe text (UAX 15). */
const TOO_MANY_MARKS = /\p{M}{65}/u

/**
 * The composed form (NFC) in which names are compared. Putting a long run of combining marks in order takes the
 * square of its length, half a minute for 250,000; a text with such a run is no writing, and stays as it is.
 */
export const composed = (text: string): string => normalised(text, 'NFC')

/** The same, with what only looks different made the same, such as full-width letters and ligatures (NFKC). */
export const compatible = (text: string): string => normalised(text, 'NFKC')

const normalised = (text: string, form: 'NFC' | 'NFKC'): string =>
  TOO_MANY_MARKS.test(text) ? text : text.normalize(form)
