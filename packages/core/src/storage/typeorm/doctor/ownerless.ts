import type { Dialect } from '../sql.js'
import type { FindingKind } from './findings.js'

/** Rows that belong to something which does not exist, or point to it. */
export interface Ownerless {
  kind: FindingKind
  table: string
  /** SQL for what names one of them. */
  name: string
  /** SQL that is true of them, with `t` for the table. */
  where: string
}

const noEntity = (column: string): string =>
  `NOT EXISTS (SELECT 1 FROM entity e WHERE e.app_id = t.app_id AND e.id = t.${column})`
const application = `' (application ' || t.app_id || ')'`

/** Connections come first: the verbs that entities list follow from those that are left. */
export const ownerless = (dialect: Dialect): Ownerless[] => [
  {
    kind: 'edge_dangling',
    table: 'edge',
    name: `t.src || ' to ' || t.tgt || ${application}`,
    where: `${noEntity('src')} OR ${noEntity('tgt')}
      OR NOT EXISTS (SELECT 1 FROM verb v WHERE v.app_id = t.app_id AND v.id = t.verb_id)`,
  },
  {
    kind: 'dictionary_ownerless',
    table: 'dictionary',
    name: `t.name || ' of ' || t.eid || ${application}`,
    where: noEntity('eid'),
  },
  dialect === 'postgres'
    ? {
        kind: 'words_ownerless',
        table: 'entity_words',
        name: `t.eid || ${application}`,
        where: noEntity('eid'),
      }
    : {
        kind: 'words_ownerless',
        table: 'entity_words_docsize',
        name: `t.id || ''`,
        where: 'NOT EXISTS (SELECT 1 FROM entity e WHERE e.id = t.id)',
      },
  {
    kind: 'path_ownerless',
    table: 'path',
    name: `t.kind || ' ' || t.def || ${application}`,
    where: 'NOT EXISTS (SELECT 1 FROM collection c WHERE c.app_id = t.app_id AND c.id = t.coll_id)',
  },
]
