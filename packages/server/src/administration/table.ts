/** What stands in a row of a table. */
export type Cell = string | number | boolean | null | undefined

/** Columns as wide as what is in them, two blanks apart, under their titles. */
export const table = (titles: readonly string[], rows: readonly (readonly Cell[])[]): string => {
  const cells = [titles, ...rows.map((row) => row.map(shown))]
  const widths = titles.map((_, column) => Math.max(...cells.map((row) => lengthOf(row[column]!))))
  return cells
    .map((row) => row.map((cell, column) => cell + ' '.repeat(widths[column]! - lengthOf(cell))).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

/** A name and a value on each line; those without a value are left out. */
export const facts = (list: Readonly<Record<string, Cell | readonly string[]>>): string => {
  const lines = Object.entries(list).flatMap(([name, value]): [string, string][] => {
    const values = Array.isArray(value) ? value : [shown(value as Cell)]
    return values.filter(Boolean).map((one, index) => [index === 0 ? name : '', shown(one)])
  })
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')
}

/** UTC milliseconds as people read them. */
export const time = (milliseconds: unknown): string =>
  typeof milliseconds === 'number' ? new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z') : ''

/** What others have chosen, such as a username, must not move the cursor of a terminal, nor turn the text around. */
const shown = (cell: Cell): string => {
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no'
  return String(cell ?? '').replaceAll(/\p{C}/gu, '\uFFFD')
}

const lengthOf = (text: string): number => [...text].length
