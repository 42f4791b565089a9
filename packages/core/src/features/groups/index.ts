export { groupDescriptor } from './descriptor.js'
