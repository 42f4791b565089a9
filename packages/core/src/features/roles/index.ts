export { CLOSED_ROLES, type FirstRole, roleDescriptor, SANDBOX_ROLES, USERGRID_ROLES } from './descriptor.js'
export { GrantsSource, type Held, type UserAccess } from './grants.js'
export { HOLDERS, permissionStrings, Roles } from './roles.js'
export { permissionRoutes } from './routes.js'
