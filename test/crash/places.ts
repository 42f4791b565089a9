const numbered = (count: number, name: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, n) => name(n))

/** Entities that all clients connect to, by name. */
export const HUBS = numbered(3, (n) => `hub${n}`)
/** Names that several clients want. */
export const SEATS = numbered(24, (n) => `seat${n}`)
/** Addresses that several users want. */
export const MAILS = numbered(24, (n) => `mail${n}@crash.test`)
/** Entities that all clients add to, by name: in requests of their own, and from one to another. */
export const HITS = numbered(3, (n) => `hits${n}`)
export const ACCOUNTS = numbered(6, (n) => `account${n}`)
