import type { Context, Scenario } from '../target.js'

/** What the process that makes the load is asked, one thing at a time. */
export type Order =
  /** Replaces everything that was known of the target of this name. */
  | { kind: 'use'; target: string; context: Context; pids: Pids }
  | { kind: 'run'; target: string; run: Run }
  /** Deletes what `create` and `batch` left behind. */
  | { kind: 'clean'; target: string; connections: number }

export interface Pids {
  server: number
  /** The database server beside it, if any. */
  database?: number
}

export interface Run {
  scenario: Scenario
  connections: number
  seconds: number
  maxRequests: number
}

/** Figures of one run. */
export interface Figures {
  requests: number
  /** Requests per second. */
  rate: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** CPU seconds per 1,000 requests: of the server, and of the database server beside it. */
  cpu: number
  databaseCpu?: number
  /** MiB that the server has in memory after the run. */
  memory: number
  /** Replies other than 2xx, and the first of them. */
  failures: number
  failure?: string
}

export type Answer = { figures?: Figures; error?: string }
