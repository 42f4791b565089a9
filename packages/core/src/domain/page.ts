/** Entities on one page at most. */
export const MAX_PAGE = 1000

/** The `limit` of a listing: anything that is no positive number counts as not given; more than 1,000 as 1,000. */
export const readLimit = (text: string | undefined, fallback: number): number => {
  const limit = text !== undefined && /^\s*\+?\d+\s*$/.test(text) ? Number(text) : 0
  if (limit <= 0 || limit > 2 ** 31 - 1) return fallback
  return Math.min(limit, MAX_PAGE)
}
