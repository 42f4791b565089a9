/** The session of a user who may read, and what he may do, as both floors have them in their tables. */
export const SESSION = 'a-session-of-the-reader'
export const PERMISSION = 'get:/items/*'
