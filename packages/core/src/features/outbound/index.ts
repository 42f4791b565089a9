export { type Fetch, FetchFailed, type GuardOptions, guardedFetch, type Outgoing } from './guarded-fetch.js'
