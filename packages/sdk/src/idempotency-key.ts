/** A new idempotency key. Pages without TLS have no `crypto.randomUUID`, but they have this: 128 bits. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-')
