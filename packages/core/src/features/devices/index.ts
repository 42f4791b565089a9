export { deviceDescriptor } from './descriptor.js'
