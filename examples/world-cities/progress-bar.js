// @ts-check
const WIDTH = 30
const LINES = 10

/**
 * A bar for work on a known number of things. On a terminal it is drawn over itself; anywhere else, such as in
 * a log, it is a line at each tenth of the way.
 * @param {object} options
 * @param {number} options.total
 * @param {(line: string) => void} options.print for whole lines
 * @param {{ isTTY?: boolean, write(text: string): unknown }} [options.terminal]
 */
export const openBar = ({ total, print, terminal = process.stderr }) => {
  const startedAt = performance.now()
  let done = 0
  let skipped = 0
  let drawn = 0
  const line = () => {
    const filled = Math.floor((done / total) * WIDTH)
    const seconds = (performance.now() - startedAt) / 1000
    const bar = '#'.repeat(filled).padEnd(WIDTH, '-')
    return `[${bar}] ${count(done)} of ${count(total)}, ${count((done - skipped) / seconds)} a second`
  }
  const draw = () => {
    if (terminal.isTTY) return void terminal.write(`\r\x1b[K${line()}${done === total ? '\n' : ''}`)
    const tenth = Math.floor((done / total) * LINES)
    if (tenth > drawn) print(line())
    drawn = tenth
  }
  return {
    /** @param {number} things that were done since the last call */
    advance: (things) => {
      done += things
      draw()
    },
    /** @param {number} things that were done before, which do not count for the speed */
    skip: (things) => {
      done += things
      skipped += things
    },
  }
}

/** @param {number} number */
export const count = (number) => Math.round(number).toLocaleString('en')
