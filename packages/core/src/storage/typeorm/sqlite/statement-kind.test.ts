import { describe, expect, it } from 'vitest'
import { isRead, returnsRows } from './statement-kind.js'

describe('the kind of a statement', () => {
  it.each([
    // [statement, only reads, returns rows]
    ['SELECT 1', true, true],
    ['  select a from t', true, true],
    ["SELECT 'delete from t'", true, true],
    ['SELECT replace(a, 1, 2) FROM t', true, true],
    ['VALUES (1)', true, true],
    ['EXPLAIN QUERY PLAN SELECT 1', true, true],
    ['WITH x AS (SELECT 1) SELECT * FROM x', true, true],
    ['WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x', false, false],
    ['WITH x AS (SELECT 1) DELETE FROM t RETURNING a', false, true],
    ['INSERT INTO t VALUES (1)', false, false],
    ['INSERT INTO t VALUES (1) RETURNING a', false, true],
    ["INSERT INTO t VALUES ('returning')", false, false],
    ['INSERT INTO t VALUES (1) -- returning', false, false],
    ['PRAGMA journal_mode = WAL', false, true],
    ['CREATE TABLE t (a)', false, false],
    ['BEGIN IMMEDIATE', false, false],
  ])('is known from its text: %s', (sql, reads, rows) => {
    expect([isRead(sql), returnsRows(sql)]).toEqual([reads, rows])
  })
})
