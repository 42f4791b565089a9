export { type UserOptions, userDescriptor } from './descriptor.js'
export { Passwords } from './passwords.js'
export { ownOrAdmins, userRoutes } from './routes.js'
