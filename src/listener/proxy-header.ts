import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import { crc32c } from './crc32c.ts'

/** The header that a proxy puts in front of a connection (haproxy.org, proxy-protocol.txt, versions 1 and 2). */
export interface ProxyHeader {
  /** Its length; what follows is the client's own. */
  readonly bytes: number
  /** Where the connection came from; undefined when the proxy speaks for itself (LOCAL, as in its health checks) or does not know. */
  readonly source: { readonly address: string; readonly port: number } | undefined
}

/** Longest header that is read. Version 1 has at most 107 bytes; the rest of version 2 is what proxies say of certificates and the like. */
export const maxProxyHeaderBytes = 4_096

/** Reads the header that `bytes` begin with; undefined while there is too little of it. Throws an Error when they begin with anything else. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (startsAlike(bytes, signature)) return bytes.length < 16 ? undefined : readBinary(bytes)
  if (startsAlike(bytes, word)) return readLine(bytes)
  throw new Error('no PROXY header')
}

function startsAlike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length)
  return bytes.compare(start, 0, length, 0, length) === 0
}

/** Section 2.1: `PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n`. */
function readLine(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, maxLine).indexOf('\r\n')
  if (end === -1) {
    if (bytes.length >= maxLine) throw new Error('a PROXY header without an end')
    return undefined
  }
  const line = bytes.toString('latin1', 0, end)
  const length = end + 2
  if (/^PROXY UNKNOWN(?: [^\r\n]*)?$/.test(line)) return { bytes: length, source: undefined }
  const [, family, from = '', to = '', fromPort, toPort, ...more] = line.split(' ')
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIpv6 : () => false
  if (more.length > 0 || !isAddress(from) || !isAddress(to)) throw new Error('a PROXY header that is none')
  readPort(toPort)
  return { bytes: length, source: { address: from, port: readPort(fromPort) } }
}

/** Without a zone, which means something to one machine only. */
function isPlainIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function readPort(text = ''): number {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(text) || Number(text) > 65_535)
    throw new Error('a PROXY header with a bad port')
  return Number(text)
}

/** Section 2.2: signature, version and command, family and transport, length, addresses, TLVs. */
function readBinary(bytes: Buffer): ProxyHeader | undefined {
  const command = bytes.readUInt8(12)
  const family = bytes.readUInt8(13)
  const length = 16 + bytes.readUInt16BE(14)
  if (command !== local && command !== proxied)
    throw new Error('a PROXY header of another version or command')
  if (length > maxProxyHeaderBytes) throw new Error('a PROXY header that is too long')
  if (bytes.length < length) return undefined
  // What a proxy says of its own connection is to be discarded whole, the family too.
  if (command === local) return { bytes: length, source: undefined }
  const addresses = addressBytes[family]
  if (addresses === undefined) throw new Error('a PROXY header of an unknown family or transport')
  if (16 + addresses > length) throw new Error('a PROXY header without its addresses')
  checkTlvs(bytes.subarray(0, length), 16 + addresses)
  if (family === tcp4) {
    return {
      bytes: length,
      source: { address: bytes.subarray(16, 20).join('.'), port: bytes.readUInt16BE(24) },
    }
  }
  if (family === tcp6) {
    return { bytes: length, source: { address: ipv6(bytes.subarray(16, 32)), port: bytes.readUInt16BE(48) } }
  }
  return { bytes: length, source: undefined }
}

function ipv6(bytes: Buffer): string {
  const groups = (bytes.toString('hex').match(/.{4}/g) ?? []).join(':')
  return new SocketAddress({ family: 'ipv6', address: groups }).address
}

/** Nothing in them is of use here but the checksum, which has to be right where it is given (section 2.2.3). */
function checkTlvs(header: Buffer, from: number): void {
  let checked = false
  for (let at = from; at < header.length; ) {
    const length = at + 3 <= header.length ? header.readUInt16BE(at + 1) : Number.POSITIVE_INFINITY
    const next = at + 3 + length
    if (next > header.length) throw new Error('a PROXY header with a cut TLV')
    if (header.readUInt8(at) === checksum) {
      if (checked || length !== 4) throw new Error('a PROXY header with a bad checksum')
      checked = true
      const zeroed = Buffer.from(header).fill(0, at + 3, next)
      if (crc32c(zeroed) !== header.readUInt32BE(at + 3))
        throw new Error('a PROXY header with a wrong checksum')
    }
    at = next
  }
}

const word = Buffer.from('PROXY ')
const maxLine = 107
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const local = 0x20
const proxied = 0x21
const tcp4 = 0x11
const tcp6 = 0x21
/** By family and transport: unspecified, TCP over IPv4 and IPv6, a UNIX stream. Datagrams do not come by a connection. */
const addressBytes: Readonly<Record<number, number>> = { 0: 0, [tcp4]: 12, [tcp6]: 36, 49: 216 }
const checksum = 0x03
