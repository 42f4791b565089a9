import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Not for the public internet (IANA's registries of special-purpose addresses). */
const SPECIAL_IPV4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const

/** Within the global range, but special: some of these carry an IPv4 address that might be private. */
const SPECIAL_IPV6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const listOf = (family: 'ipv4' | 'ipv6', ranges: readonly (readonly [string, number])[]): BlockList => {
  const list = new BlockList()
  for (const [network, bits] of ranges) list.addSubnet(network, bits, family)
  return list
}

const specialIpv4 = listOf('ipv4', SPECIAL_IPV4)
const specialIpv6 = listOf('ipv6', SPECIAL_IPV6)
const globalIpv6 = listOf('ipv6', [['2000::', 3]])

/**
 * Whether an IPv4 or IPv6 address is one of the public internet. IPv4 addresses written as IPv6, and whatever is no
 * address, are not.
 */
export const isPublicAddress = (address: string): boolean => {
  if (isIPv4(address)) return !specialIpv4.check(address, 'ipv4')
  // Zones (`%eth0`) belong to addresses of a link.
  if (!isIPv6(address) || address.includes('%')) return false
  return globalIpv6.check(address, 'ipv6') && !specialIpv6.check(address, 'ipv6')
}
