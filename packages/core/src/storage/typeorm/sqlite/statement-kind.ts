const LITERALS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g
const READS = /^\s*(select|values|explain|with)\b/i
const CHANGES = /\b(insert|update|delete|replace)\b(?!\s*\()/i

/** A statement without anything in quotes or comments. */
const bare = (sql: string): string => sql.replace(LITERALS, "''")

/** Whether a statement only reads, so that any connection may run it. Pragmas do not count: some of them write. */
export const isRead = (sql: string): boolean => {
  const text = bare(sql)
  return READS.test(text) && !CHANGES.test(text)
}

/** Whether a statement may have rows for an answer. */
export const returnsRows = (sql: string): boolean => {
  const text = bare(sql)
  return (
    /^\s*pragma\b/i.test(text) || /\breturning\b/i.test(text) || (READS.test(text) && !CHANGES.test(text))
  )
}
