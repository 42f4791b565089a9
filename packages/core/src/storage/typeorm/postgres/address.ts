/**
 * How to connect so that unqualified names mean `schema`, without another round trip. Options that the URL
 * has are kept.
 * @throws {Error} on a schema whose name would need quotes.
 */
export const addressOf = (
  url: string,
  schema: string | undefined,
): { connectionString: string; options?: string } => {
  if (schema === undefined) return { connectionString: url }
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new Error(
      `The schema name "${schema}" cannot be used: take lower-case letters, digits and _, at most 63`,
    )
  }
  const address = new URL(url)
  const given = address.searchParams.get('options')
  address.searchParams.delete('options')
  const options = `${given === null ? '' : `${given} `}-c search_path=${schema}`
  return { connectionString: given === null ? url : address.href, options }
}
