const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Base32 (RFC 4648) without padding: what people and authenticator apps read and type. */
export const toBase32 = (bytes: Uint8Array): string => {
  let text = ''
  let rest = 0
  let bits = 0
  for (const byte of bytes) {
    rest = (rest << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += LETTERS[(rest >> bits) & 31]
    }
    rest &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + LETTERS[(rest << (5 - bits)) & 31]
}
