import { isIP } from 'node:net'
import type { ApiRequest } from './request.js'

const MAPPED = /^::ffff:\d+\.\d+\.\d+\.\d+$/i
const GROUPS = 8
/** Groups of 16 bits that name a network; whoever has one has all addresses in it. */
const NETWORK = 4

/**
 * What stands for an address when its requests are counted: an IPv4 address itself, also when it is written as
 * IPv6; of any other IPv6 address the first 64 bits, as in `2001:db8:0:1::/64`. What is no address stands for
 * itself.
 */
export const networkOf = (address: string): string => {
  if (!address.includes(':')) return address
  // What sockets say of IPv4 clients.
  if (MAPPED.test(address)) return address.slice('::ffff:'.length)
  const [bare = ''] = address.toLowerCase().split('%')
  if (isIP(bare) !== 6) return bare
  const groups = groupsOf(bare)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.')
  const network = groups.slice(0, NETWORK).map((group) => group.toString(16))
  return `${network.join(':')}::/64`
}

/** Whether an address is this machine's own. */
export const isLoopback = (address: string): boolean => {
  const network = networkOf(address)
  if (isIP(network) === 4) return network.startsWith('127.')
  const [bare = ''] = address.split('%')
  return isIP(bare) === 6 && groupsOf(bare).join() === '0,0,0,0,0,0,0,1'
}

/** The eight numbers of an IPv6 address; an IPv4 part at its end counts as two. */
const groupsOf = (address: string): number[] => {
  const [left = '', right] = address.split('::')
  const before = numbersOf(left)
  if (right === undefined) return before
  const after = numbersOf(right)
  return [...before, ...Array<number>(GROUPS - before.length - after.length).fill(0), ...after]
}

const numbersOf = (text: string): number[] =>
  text === ''
    ? []
    : text.split(':').flatMap((group) => (group.includes('.') ? ofIpv4(group) : parseInt(group, 16)))

const ofIpv4 = (text: string): number[] => {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  return [a * 256 + b, c * 256 + d]
}

/** The network that a request comes from; `undefined` in process. */
export const networkIn = ({ address }: ApiRequest): string | undefined =>
  address === undefined ? undefined : networkOf(address)
