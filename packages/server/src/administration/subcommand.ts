import type { Desk } from './desk.js'

export type Flags = Readonly<Record<string, string | boolean | undefined>>

/** What comes of a command: the same for programs and for people. */
export interface Told {
  /** Printed with `--json`. */
  data: unknown
  text: string
}

/** Something that an operator does by hand, such as `entigrid org list`. */
export interface Subcommand {
  /** What follows its name: `NAME OWNER [--no-sandbox]`. */
  usage: string
  /** What it does, in one or more lines of a help text. */
  help: string
  /** The least and the greatest number of operands. */
  operands: readonly [number, number]
  /** Beside `--json`, which all have. */
  flags?: Readonly<Record<string, 'string' | 'boolean'>>
  /** @throws {ConfigError} whose message fits on a line */
  run(desk: Desk, operands: readonly string[], flags: Flags): Promise<Told>
}
