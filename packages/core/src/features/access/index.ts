export { Explanations } from './explanations.js'
export { accessRoute } from './routes.js'
