import { v7 } from 'uuid'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether the text has the canonical 36-character form, of any version. */
export const isUuid = (text: string): boolean => text.length === 36 && UUID.test(text)

/** A new time-ordered uuid (version 7, RFC 9562). */
export const newUuid = (): string => v7()
