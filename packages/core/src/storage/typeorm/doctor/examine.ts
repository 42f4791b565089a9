import { Catalogs } from '../catalog.js'
import type { SqlDatabase } from '../connection.js'
import { Examination } from './examination.js'
import { type Finding, type FindingKind, Findings } from './findings.js'
import type { OnProgress, UniqueProperties } from './patient.js'
import { Repair } from './repair.js'

export interface CheckUp {
  /** What is wrong; with `repair`, what is left. */
  findings: Finding[]
  /** With `repair`, what was found before. */
  before: Finding[]
  /** What an operator should know although it is no fault. */
  notes: string[]
  /** False when a part of the database could not be read, so that more may be wrong. */
  complete: boolean
}

export interface CheckUpOptions {
  uniqueProperties: UniqueProperties
  repair?: boolean | undefined
  onProgress?: OnProgress | undefined
  /** UTC milliseconds. */
  clock?: (() => number) | undefined
}

/** These follow from nothing that is left. */
const BEYOND_REPAIR: ReadonlySet<FindingKind> = new Set([
  'unreadable',
  'document',
  'collection',
  'unique_contested',
  'change_unreadable',
] as const)
/** What was mended may bring to light more: connections that go change the verbs of entities. */
const ROUNDS = 4

/** Checks every invariant of the schema; with `repair`, mends what can be derived and checks again. */
export const checkUp = async (
  database: SqlDatabase,
  { uniqueProperties, repair = false, onProgress = () => undefined, clock = Date.now }: CheckUpOptions,
): Promise<CheckUp> => {
  const catalogs = new Catalogs(database, clock)
  const examine = async () => {
    const findings = new Findings()
    const examination = new Examination({ database, catalogs, findings, uniqueProperties, onProgress })
    return { findings, diagnosis: await examination.run() }
  }
  let { findings, diagnosis } = await examine()
  const before = repair ? findings.list() : []
  for (let round = 0; repair && round < ROUNDS; round++) {
    if (findings.list().every(({ kind }) => BEYOND_REPAIR.has(kind)) && diagnosis.unfinished.length === 0)
      break
    const remedy = new Repair({ database, catalogs, uniqueProperties, onProgress, clock })
    if (!findings.has('file')) await remedy.run(diagnosis)
    // A damaged file may hide entities: what seems to belong to none must not be removed before it is whole.
    else if (round === 0) await remedy.file(findings)
    else break
    ;({ findings, diagnosis } = await examine())
  }
  const notes = diagnosis.unfinished.map(
    ({ app, collectionId }) =>
      `The index of collection ${collectionId} (application ${app}) is being built, or a rebuild was broken off`,
  )
  return { findings: findings.list(), before, notes, complete: diagnosis.complete }
}
