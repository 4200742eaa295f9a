import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { type DecodedPacket, decode, encode, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet'

/** A DNS server. */
export interface DnsServer {
  /** An address, not a name. */
  readonly host: string
  readonly port: number
}

/** What is asked of a DNS server. */
export interface DnsQuestion {
  readonly name: string
  readonly type: 'A' | 'AAAA' | 'SRV'
}

/** What limits an exchange. */
export interface ExchangeOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** What an answer over UDP may have, so that it is not cut into fragments on its way (dnsflagday.net/2020). */
const udpPayloadSize = 1_232

/**
 * Asks one server one question: over UDP, and over TCP when the answer does not fit (RFC 7766). Each question has a random id and comes
 * from a port of its own, and only what answers it is looked at (RFC 5452). Rejects when no answer comes in time.
 */
export async function askServer(
  server: DnsServer,
  question: DnsQuestion,
  options: ExchangeOptions,
): Promise<DecodedPacket> {
  const id = randomInt(65_536)
  const query = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ ...question, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  })
  const read = (bytes: Buffer): DecodedPacket | undefined => answerIn(bytes, id, question)
  const answer = await overUdp(server, query, { ...options, read })
  const truncated = ((answer.flags ?? 0) & TRUNCATED_RESPONSE) !== 0
  return truncated ? overTcp(server, query, { ...options, read }) : answer
}

interface Carried extends ExchangeOptions {
  /** The answer in a message; undefined: it is none to what was asked. */
  read(bytes: Buffer): DecodedPacket | undefined
}

function answerIn(bytes: Buffer, id: number, { name, type }: DnsQuestion): DecodedPacket | undefined {
  let packet: DecodedPacket
  try {
    packet = decode(bytes)
  } catch {
    return undefined
  }
  const [asked] = packet.questions ?? []
  const isOurs = packet.type === 'response' && packet.id === id && asked?.type === type
  return isOurs && bare(asked.name) === bare(name) ? packet : undefined
}

/** Names are compared without regard to case (RFC 4343). */
function bare(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

function overUdp(server: DnsServer, query: Buffer, carried: Carried): Promise<DecodedPacket> {
  const socket = createSocket(isIPv6(server.host) ? 'udp6' : 'udp4')
  return settled(
    carried,
    () => socket.close(),
    (resolve, reject) => {
      socket.on('error', reject)
      socket.on('message', (bytes) => {
        const answer = carried.read(bytes)
        if (answer !== undefined) resolve(answer)
      })
      // A connected socket takes nothing from others, and is told when nobody listens there.
      socket.connect(server.port, server.host, () => socket.send(query))
    },
  )
}

/** RFC 1035 section 4.2.2: each message is preceded by its length in two bytes. */
function overTcp(server: DnsServer, query: Buffer, carried: Carried): Promise<DecodedPacket> {
  const socket = connect(server.port, server.host)
  return settled(
    carried,
    () => socket.destroy(),
    (resolve, reject) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(query.length)
      socket.write(Buffer.concat([length, query]))
      let received = Buffer.alloc(0)
      socket.on('error', reject)
      socket.on('end', () => reject(new Error('the server closed the connection')))
      socket.on('data', (bytes: Buffer) => {
        received = Buffer.concat([received, bytes])
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
        const answer = carried.read(received.subarray(2, 2 + received.readUInt16BE(0)))
        if (answer === undefined) reject(new Error('the answer cannot be read'))
        else resolve(answer)
      })
    },
  )
}

type Start = (resolve: (answer: DecodedPacket) => void, reject: (error: Error) => void) => void

/** A promise that is rejected when it takes too long or is given up; `close` is called once, however it ends. */
function settled({ timeoutMs, signal }: Carried, close: () => void, start: Start): Promise<DecodedPacket> {
  const { promise, resolve, reject } = Promise.withResolvers<DecodedPacket>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  const giveUp = (): void => reject(new Error('given up'))
  signal.addEventListener('abort', giveUp)
  start(resolve, reject)
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
    close()
  })
}
