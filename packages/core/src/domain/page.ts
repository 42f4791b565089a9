/** The `limit` of a listing: anything that is no positive number counts as not given; more than `most` as `most`. */
export const readLimit = (text: string | undefined, fallback: number, most: number): number => {
  const limit = text !== undefined && /^\s*\+?\d+\s*$/.test(text) ? Number(text) : 0
  if (limit <= 0 || limit > 2 ** 31 - 1) return Math.min(fallback, most)
  return Math.min(limit, most)
}
