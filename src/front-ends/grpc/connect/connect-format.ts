import type { HttpExchange } from '../../../core/http-exchange.ts'
import type { ValueMatch } from '../../../core/route.ts'

/** How a client of the Connect protocol writes its messages (connectrpc.com/docs/protocol). */
export interface ConnectFormat {
  readonly codec: 'json' | 'proto'
  /** Whether messages come in envelopes, any number of them: for methods that stream either way. */
  readonly enveloped: boolean
  /** Of the answer. */
  readonly contentType: string
}

/** What marks a GET as one of Connect. A row has it exactly when it serves unary calls by GET. */
export const connectQuery: readonly ValueMatch[] = [{ name: 'connect', value: '*' }]

/** Whether the message stands in the query (a "Unary-Get-Request"). */
export function isConnectGet(x: HttpExchange): boolean {
  return x.row.query === connectQuery
}

/**
 * Whether a client speaks Connect. Its own content types and GETs do; `application/json`, which transcoding takes too, does with the
 * header `Connect-Protocol-Version`, whatever its value.
 */
export function speaksConnect(x: HttpExchange): boolean {
  // Paths of annotations are not Connect's.
  if (!x.row.template.startsWith(x.row.id, 1)) return false
  if (isConnectGet(x)) return true
  const type = mediaType(x.header('content-type'))
  if (x.header('connect-protocol-version') !== undefined) return !type.startsWith('application/grpc')
  return type === 'application/proto' || type.startsWith('application/connect+')
}

/** The format of a request's messages; undefined for one that is not known. */
export function connectFormat(x: HttpExchange): ConnectFormat | undefined {
  if (isConnectGet(x)) {
    const encoding = new URLSearchParams(x.request.query).get('encoding') ?? ''
    return formats.get(`application/${encoding}`)
  }
  return formats.get(mediaType(x.header('content-type')))
}

/** Content types of each kind, as `Accept-Post` lists them (W3C LDP, section 7.1). */
export const unaryTypes = 'application/json, application/proto'
export const envelopedTypes = 'application/connect+json, application/connect+proto'

const formats: ReadonlyMap<string, ConnectFormat> = new Map(
  (['json', 'proto'] as const).flatMap((codec) =>
    [false, true].map((enveloped) => {
      const contentType = `application/${enveloped ? 'connect+' : ''}${codec}`
      return [contentType, { codec, enveloped, contentType }]
    }),
  ),
)

/** Parameters are not compared: the only one that is sent is `charset=utf-8`. */
function mediaType(contentType: string | undefined): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}
