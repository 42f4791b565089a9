export { type UserOptions, userDescriptor } from './descriptor.js'
export { Passwords } from './passwords.js'
export { userRoutes } from './routes.js'
