const PART = /^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+$/
/** RFC 5321, 4.5.3.1.3. */
const MAX_LENGTH = 254

/**
 * Whether mail can be sent to this text: one address, without a name, quotes or comments. That it exists is shown by
 * the mail alone.
 */
export const isMailAddress = (text: unknown): text is string =>
  typeof text === 'string' && text.length <= MAX_LENGTH && PART.test(text)
