import { classifyRequestHeader, passesToClient } from '../../core/headers.ts'

/** What a service says about metadata, as configured. */
export interface MetadataOptions {
  /** Names of request headers, lower case; `*` at the end of one stands for any rest. */
  readonly request: readonly string[]
  /** Names of the metadata of answers, likewise. */
  readonly response: readonly string[]
}

/** Where metadata stands in an HTTP answer: ahead of it, or behind it (trailers). */
export type ReplyPlace = 'header' | 'trailer'

/** Which request headers become metadata and which metadata of answers become headers, and under which names. */
export interface MetadataRules {
  /** The metadata that a request header becomes; undefined for one that does not pass. */
  fromHeader(header: string, forwardCredentials: boolean): string | undefined
  /** The header that a piece of an answer's metadata becomes; undefined for one that does not pass. */
  toHeader(name: string, place: ReplyPlace): string | undefined
}

/**
 * Makes the rules of a service. Names of headers are remembered (at most 1,000): the same few come again and again. `credentials` as for
 * {@link isCredential}.
 */
export function compileMetadataRules(
  { request, response }: MetadataOptions,
  credentials: ReadonlySet<string>,
): MetadataRules {
  const passes = nameMatcher(request)
  const answers = nameMatcher(response)
  const wanted = new Set(response)
  const known = new Map<string, Passage>()
  return {
    fromHeader(header, forwardCredentials) {
      let passage = known.get(header)
      if (passage === undefined) {
        passage = passageOf(header, { passes, credentials })
        if (known.size < 1_000 && header.length <= 60) known.set(header, passage)
      }
      return passage.credential && !forwardCredentials ? undefined : passage.name
    },
    toHeader(name, place) {
      if (!/^[0-9a-z_.-]+$/.test(name) || isReserved(name) || !answers(name)) return undefined
      // Under its own name only what the operator wrote out, and never what belongs to one connection.
      if (wanted.has(name)) {
        return classifyRequestHeader(name) === 'drop' || !passesToClient(name) ? undefined : name
      }
      return `Grpc-${place === 'header' ? 'Metadata' : 'Trailer'}-${name}`
    },
  }
}

/** What becomes of a request header. */
interface Passage {
  /** The name of the metadata; undefined: it does not pass. */
  readonly name: string | undefined
  readonly credential: boolean
}

interface PassageOptions {
  readonly passes: (name: string) => boolean
  readonly credentials: ReadonlySet<string>
}

function passageOf(header: string, { passes, credentials }: PassageOptions): Passage {
  const name = header.startsWith(prefix) ? header.slice(prefix.length) : header
  const credential = isCredential(name, credentials)
  if (classifyRequestHeader(name) === 'drop' || isReserved(name)) return { name: undefined, credential }
  // Credentials have a switch of their own, and need no entry in the list.
  const listed = passes(header) || (credential && header === name && name !== 'cookie')
  return { name: listed ? name : undefined, credential }
}

const prefix = 'grpc-metadata-'

function nameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const whole = new Set(patterns)
  const starts = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  return (name) => whole.has(name) || starts.some((start) => name.startsWith(start))
}

/**
 * Whether a header of a request (lower case, in any spelling) carries credentials, which stay here unless the policy forwards them: the
 * usual ones, cookies, and those in which this gateway looks for them.
 */
export function isCredential(name: string, credentials: ReadonlySet<string>): boolean {
  return (
    name === 'cookie' ||
    classifyRequestHeader(name) === 'credential' ||
    credentials.has(name) ||
    (name.includes('_') && credentials.has(name.replaceAll('_', '-')))
  )
}

/** Names that gRPC, Connect and HTTP keep for themselves (gRPC PROTOCOL-HTTP2: `grpc-` is reserved), in any spelling. */
export function isReserved(name: string): boolean {
  const folded = name.replaceAll('_', '-')
  return folded === '' || folded.startsWith('grpc-') || folded.startsWith(':') || ofTheWire.has(folded)
}

const ofTheWire = new Set([
  'accept-encoding',
  'connect-accept-encoding',
  'connect-content-encoding',
  'connect-protocol-version',
  'connect-timeout-ms',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'server',
  'user-agent',
])
