import type { ApiReply, ApiRequest } from '@entigrid/core'
import { APP } from './app.js'
import { Desk } from './desk.js'
import { ORG } from './org.js'
import { ROLE } from './role.js'
import type { Flags, Subcommand } from './subcommand.js'
import { USER } from './user.js'

export type { Subcommand } from './subcommand.js'

const SUBJECTS = { org: ORG, app: APP, user: USER, role: ROLE } as const
export type Subject = keyof typeof SUBJECTS

export const isSubject = (word: string): word is Subject => Object.hasOwn(SUBJECTS, word)

export const subcommandsOf = (subject: Subject): Readonly<Record<string, Subcommand>> => SUBJECTS[subject]

interface Asked {
  subject: Subject
  name: string
  operands: readonly string[]
  flags: Flags
}

interface Around {
  engine: { handle(request: ApiRequest): Promise<ApiReply> }
  password: string | undefined
  print(text: string): void
  tell(text: string): void
}

/** Carries out what an operator asks for, with all rights. @throws {ConfigError} */
export const administer = async (
  { subject, name, operands, flags }: Asked,
  { print, ...around }: Around,
): Promise<void> => {
  const desk = new Desk({ ...around, reason: `entigrid ${subject} ${name}` })
  const { data, text } = await subcommandsOf(subject)[name]!.run(desk, operands, flags)
  print(flags['json'] === true ? `${JSON.stringify(data, null, 2)}\n` : text)
}

/** `entigrid org list [--json] [SETTINGS]` */
export const usageOf = (subject: Subject, name: string): string =>
  ['entigrid', subject, name, subcommandsOf(subject)[name]!.usage, '[--json] [SETTINGS]']
    .filter((part) => part !== '')
    .join(' ')

/** All that can be done with one kind of thing. */
export const subjectHelp = (subject: Subject): string =>
  [
    'Usage:',
    ...Object.entries(subcommandsOf(subject)).flatMap(([name, { usage, help }]) => [
      `  ${['entigrid', subject, name, usage].join(' ').trimEnd()}`,
      ...help.split('\n').map((line) => `      ${line}`),
    ]),
    '',
    'Works on the database that the settings name, as entigrid start does, with all rights. With --json, what comes',
    'of it is printed for programs. Settings are told by entigrid help.',
    '',
  ].join('\n')
