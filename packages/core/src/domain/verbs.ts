/** A verb that begins with this belongs to a sub-collection; it is no connection to the outside. */
export const HIDDEN_VERB = '~'
