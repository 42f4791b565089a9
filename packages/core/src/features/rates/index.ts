export type { RateClient } from './ledger.js'
export { DEFAULT_RATES, openRates, type RateLimits } from './rates.js'
