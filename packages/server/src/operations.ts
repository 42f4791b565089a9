import { backup, type CheckUp, examine, type Finding, restore } from '@entigrid/core'
import type { Arguments } from './arguments.js'
import { placeOf } from './database-place.js'
import type { Config } from './settings.js'

/** What people and programs are told, as in `Surroundings`. */
interface Voice {
  folder: string
  print(text: string): void
  tell(text: string): void
}

/** A command on the database itself, without an engine. */
export interface Operation {
  /** Exit code when it comes to no end. */
  failed: number
  /** Resolves with the exit code. */
  run(args: Arguments, config: Config, voice: Voice): Promise<number>
}

export const operationOf = (command: string): Operation | undefined => OPERATIONS.get(command)

const runBackup: Operation['run'] = async ({ operands }, { databaseUrl }, { print, folder }) => {
  const [file] = operands as [string]
  await backup(databaseUrl, file)
  print(`Copied ${placeOf(databaseUrl, folder).shown} to ${file}\n`)
  print('The secret is not in it: keep that elsewhere, or nobody can read what is encrypted in the copy\n')
  return 0
}

const runRestore: Operation['run'] = async ({ operands, flags }, { databaseUrl }, { print, folder }) => {
  const [file] = operands as [string]
  const { shown } = placeOf(databaseUrl, folder)
  const { aside } = await restore(databaseUrl, file, { force: flags['force'] === true })
  print(`Restored ${shown} from ${file}\n`)
  if (aside !== null) print(`What was there is kept as ${aside}\n`)
  print(
    `It needs the secret that it was made with: ENTIGRID_SECRET, or the file ${shown}.secret; with another one tokens and client secrets are lost\n`,
  )
  return 0
}

const runDoctor: Operation['run'] = async ({ flags }, { databaseUrl }, { print, tell, folder }) => {
  const repair = flags['repair'] === true
  tell(`Examining ${placeOf(databaseUrl, folder).shown}\n`)
  const result = await examine(databaseUrl, { repair, onProgress: progressTo(tell) })
  print(reportOf(result, repair))
  if (!result.complete) return 2
  return result.findings.length === 0 ? 0 : 1
}

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['backup', { failed: 1, run: runBackup }],
  ['restore', { failed: 1, run: runRestore }],
  ['doctor', { failed: 2, run: runDoctor }],
])

/** A line for each step, and for each tenth of one whose length is known. */
const progressTo = (tell: (text: string) => void) => {
  let last = ''
  return ({ step, done, total }: { step: string; done: number; total: number }): void => {
    const line = total === 0 ? step : `${step} ${Math.floor((done * 10) / total) * 10} %`
    if (line !== last) tell(`  ${line}\n`)
    last = line
  }
}

const reportOf = ({ findings, before, notes, complete }: CheckUp, repair: boolean): string => {
  const lines: string[] = []
  if (repair && before.length > 0) lines.push('Found:', ...before.flatMap(linesOf), '')
  if (findings.length > 0)
    lines.push(repair ? 'Left after the repair:' : 'Found:', ...findings.flatMap(linesOf))
  for (const note of notes) lines.push(`Note: ${note}`)
  if (!complete) lines.push('Not everything could be read: more may be wrong. Restore a backup')
  else if (findings.length > 0)
    lines.push(
      repair
        ? 'The rest follows from nothing that is left: restore a backup, or correct the entities'
        : 'entigrid doctor --repair mends what follows from the entities',
    )
  else lines.push(before.length > 0 ? 'All is mended' : 'All is well')
  return `${lines.join('\n')}\n`
}

const linesOf = ({ kind, problem, count, examples }: Finding): string[] => [
  `  ${count} × ${problem} (${kind})`,
  ...examples.map((example) => `      ${example}`),
  ...(count > examples.length ? ['      ...'] : []),
]
