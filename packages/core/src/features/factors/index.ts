export { openFactors } from './open-factors.js'
export { type PasskeySettings, readPasskeySettings } from './relying-party.js'
export { factorRoutes } from './routes.js'
export { type SecondStep, SecondSteps } from './second-steps.js'
