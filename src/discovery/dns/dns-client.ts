import { getServers } from 'node:dns'
import { isIP } from 'node:net'
import type { Answer, DecodedPacket, SrvData } from 'dns-packet'
import { causeOf } from '../../core/cause-of.ts'
import { askServer, type DnsQuestion, type DnsServer } from './dns-exchange.ts'

/** How names are looked up. */
export interface DnsClientOptions {
  /** `10.0.0.2`, `10.0.0.2:5353`, `[::1]:5353`. Empty: those that the system is configured with. */
  readonly servers: readonly string[]
  /** For one question to one server. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** The records that a name has, and for how long that is so. */
export interface Records<T> {
  readonly data: readonly T[]
  /** The shortest of all records on the way to these; RFC 2181 section 5.2. */
  readonly ttlSeconds: number
}

/** A name that does not exist, or has no records of the kind: an answer, if an empty one. */
export class NoRecords extends Error {}

/** How often the servers are asked in turn before a question is given up. */
const rounds = 2

/**
 * Asks DNS servers itself: what the system's own lookup gives has no TTL. Names are absolute, search lists and `/etc/hosts` are not looked
 * at. Rejects with NoRecords, or with another Error that says why there is no answer.
 */
export class DnsClient {
  readonly #options: DnsClientOptions

  constructor(options: DnsClientOptions) {
    this.#options = options
  }

  async addresses(name: string, type: 'A' | 'AAAA'): Promise<Records<string>> {
    const answers = await this.#answers({ name, type })
    return records(
      answers,
      answers.flatMap((one) => (one.type === 'A' || one.type === 'AAAA' ? [one.data] : [])),
    )
  }

  async services(name: string): Promise<Records<SrvData>> {
    const answers = await this.#answers({ name, type: 'SRV' })
    return records(
      answers,
      answers.flatMap((one) => (one.type === 'SRV' ? [one.data] : [])),
    )
  }

  /** The records of the type, and the aliases on the way to them. */
  async #answers(question: DnsQuestion): Promise<Answer[]> {
    const { name, type } = question
    const answer = await this.#ask(question)
    if (rcodeOf(answer) === nxdomain) throw new NoRecords(`there is no name ${name} (NXDOMAIN)`)
    const found = (answer.answers ?? []).filter((one) => one.type === type || one.type === 'CNAME')
    if (!found.some((one) => one.type === type)) throw new NoRecords(`${name} has no ${type} records`)
    return found
  }

  /** One server after the other; one that does not answer, or not well, is passed over. */
  async #ask(question: DnsQuestion): Promise<DecodedPacket> {
    const servers = serversOf(this.#options.servers)
    let failure = 'there is no DNS server'
    for (let round = 0; round < rounds; round++) {
      for (const server of servers) {
        try {
          const answer = await askServer(server, question, this.#options)
          const rcode = rcodeOf(answer)
          if (rcode === noError || rcode === nxdomain) return answer
          failure = `${server.host}:${server.port} answered ${rcodes[rcode] ?? rcode}`
        } catch (error) {
          if (this.#options.signal.aborted) throw error
          failure = `${server.host}:${server.port}: ${causeOf(error)}`
        }
      }
    }
    throw new Error(`${question.name} cannot be looked up: ${failure}`)
  }
}

function serversOf(written: readonly string[]): DnsServer[] {
  return (written.length > 0 ? written : getServers()).map(dnsServer)
}

/** `10.0.0.2`, `10.0.0.2:5353`, `::1`, `[::1]:5353`. */
function dnsServer(text: string): DnsServer {
  if (isIP(text) !== 0) return { host: text, port: 53 }
  const [, bracketed, plain, port = '53'] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? []
  return { host: bracketed ?? plain ?? text, port: Number(port) }
}

/** RFC 1035 section 4.1.1 */
function rcodeOf({ flags = 0 }: DecodedPacket): number {
  return flags & 15
}

const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']
const noError = 0
const nxdomain = 3

function records<T>(answers: readonly Answer[], data: readonly T[]): Records<T> {
  const ttls = answers.map((one) => ('ttl' in one ? (one.ttl ?? 0) : 0))
  return { data, ttlSeconds: Math.min(...ttls) }
}
