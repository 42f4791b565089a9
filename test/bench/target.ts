/** What is measured. Each is one kind of request; `constant` is for the server that does nothing else. */
export const SCENARIOS = {
  constant: 'constant JSON',
  byUuid: 'get by uuid',
  byName: 'get by name',
  equalitySorted: 'equality + sort, limit 10',
  range: 'range, limit 10',
  firstPage: 'first page of 100',
  deepPage: 'page 500 by cursor',
  connections: 'list connections, limit 10',
  asUser: 'read as a user',
  update: 'update one property',
  connect: 'connect',
  create: 'create',
  batch: 'batch of 100',
  remove: 'delete',
} as const
export type Scenario = keyof typeof SCENARIOS
export const SCENARIO_NAMES = Object.keys(SCENARIOS) as Scenario[]

export interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  headers?: Record<string, string>
  body?: string
}

/** A server that runs, as it was set up. Plain data, for it is sent to the process that makes the load. */
export interface Context {
  url: string
  /** Sent with every request. */
  headers: Record<string, string>
  /** Sent by the scenario `asUser` instead. */
  userHeaders: Record<string, string>
  /** Of the loaded items, in the order of loading. */
  ids: string[]
  /** Of the items that have connections. */
  hubs: string[]
  /** What leads to the deep page. */
  cursor: string
}

export interface Place {
  /** An empty folder that is removed afterwards. */
  folder: string
  port: number
  /** An empty database, for targets that said they need one. */
  postgresUrl: string
}

export interface Program {
  command: string
  args: string[]
  env?: Record<string, string>
}

/** Everything that the suite knows about one server: a file in `targets/` that exports it as `target`. */
export interface Target {
  title: string
  /** What of an acknowledged write survives a loss of power. */
  durability: string
  postgres?: true
  /** What is run, after `before` has ended. */
  program(place: Place): Program
  before?(place: Place): Program[]
  /** Answered with status 200 by a server that is ready. */
  readyPath: string
  /** Makes the collection, its indexes, the user and the tokens. `ids`, `hubs` and `cursor` are not known yet. */
  setUp(url: string): Promise<Context>
  /** Indexes that cannot be made through the server. */
  finish?(place: Place): Promise<void>
  /** Requests, told apart by a counter that never repeats. What is missing is not measured. */
  scenarios(context: Context): Partial<Record<Scenario, (index: number) => Request>>
  createMany?(context: Context, bodies: object[]): Request
  connect?(context: Context, source: string, target: string): Request
  remove?(context: Context, id: string): Request
  /** A page of 100, newest first: the first one for an empty cursor, else the one after the reply that had this cursor. */
  page?(context: Context, cursor: string): Request
  /** Ids of the items that a reply carries, in its order. */
  idsOf(body: string): string[]
  /** Names of the items that a reply carries, in its order. */
  namesOf(body: string): string[]
  cursorOf?(body: string): string
}

export const PAGE = 100
/** The deep page, or the middle of a collection that has no 500 pages. */
export const deepPageNumber = (count: number): number =>
  Math.min(500, Math.max(2, Math.floor(count / PAGE / 2)))
