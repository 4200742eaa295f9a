import {
  type DescMessage,
  fromBinary,
  type JsonObject,
  type JsonValue,
  type Registry,
  toJson,
} from '@bufbuild/protobuf'
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt'
import type { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { grpcNumbers } from '../../core/reason-entry.ts'
import type { RpcEnd } from './channel.ts'
import { metadataValue } from './metadata.ts'

/** A `google.rpc.Status` as JSON: the body of every failed call. */
export interface RpcStatus {
  readonly code: number
  readonly message: string
  readonly details: readonly JsonValue[]
}

/** HTTP status for a gRPC status. Source: `google/rpc/code.proto`; what it does not know is 500. */
export function httpStatus(code: number): number {
  return httpStatuses[code] ?? 500
}

const httpStatuses = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401]

/** What a backend's refusal says, its details decoded; those of unknown type come as `{"@type", "value": base64}`. */
export function statusOf(end: RpcEnd, registry: Registry): RpcStatus {
  const bin = metadataValue(end.trailers, 'grpc-status-details-bin')
  return {
    code: end.code,
    message: end.message,
    details: bin === undefined ? [] : decodeDetails(bin, registry).map(shownDetail),
  }
}

/** `Retry-After` in seconds, from a RetryInfo among the details; undefined when there is none. */
export function retryAfterSeconds({ details }: RpcStatus): number | undefined {
  for (const detail of details) {
    const { '@type': type, retryDelay } = detail as JsonObject
    if (typeof type !== 'string' || !type.endsWith('/google.rpc.RetryInfo')) continue
    if (typeof retryDelay !== 'string') continue
    return Math.max(0, Math.ceil(Number.parseFloat(retryDelay)))
  }
  return undefined
}

/** A refusal of the gateway itself, in the same words as a backend's. */
export function statusOfError(x: HttpExchange, error: GatewayError): RpcStatus {
  const metadata = { number: error.entry.number, requestId: x.id, traceId: x.trace.traceId }
  const details: JsonValue[] = [
    { '@type': typeUrl('google.rpc.ErrorInfo'), reason: error.reason, domain: 'trivium', metadata },
  ]
  if (error.violations.length > 0) {
    const fieldViolations = error.violations.map(({ field, detail }) => ({ field, description: detail }))
    details.push({ '@type': typeUrl('google.rpc.BadRequest'), fieldViolations })
  }
  if (error.reason === 'QUOTA_EXCEEDED') {
    const violations = [{ description: error.message }]
    details.push({ '@type': typeUrl('google.rpc.QuotaFailure'), violations })
  }
  if (error.retryAfterMs !== undefined) {
    details.push({ '@type': typeUrl('google.rpc.RetryInfo'), retryDelay: `${error.retryAfterMs / 1_000}s` })
  }
  return { code: grpcNumbers[error.code], message: error.message, details }
}

/** One detail of a status. */
export interface DecodedDetail {
  readonly any: Any
  /** With its `@type`; undefined for a type that the protos do not have. */
  readonly json: JsonObject | undefined
}

/** The details in the base64 of `grpc-status-details-bin`; none where it is no `google.rpc.Status`. */
export function decodeDetails(base64: string, registry: Registry): DecodedDetail[] {
  const schema = registry.getMessage('google.rpc.Status')
  if (schema === undefined) return []
  return anysIn(schema, Buffer.from(base64, 'base64')).map((any) => ({ any, json: anyJson(any, registry) }))
}

function anysIn(schema: DescMessage, bytes: Uint8Array): Any[] {
  try {
    return (fromBinary(schema, bytes) as unknown as { readonly details: Any[] }).details
  } catch {
    // What the backend put there is no Status: its code and message still count.
    return []
  }
}

function shownDetail({ any, json }: DecodedDetail): JsonObject {
  return json ?? { '@type': any.typeUrl, value: Buffer.from(any.value).toString('base64') }
}

function anyJson(any: Any, registry: Registry): JsonObject | undefined {
  try {
    return toJson(AnySchema, any, { registry }) as JsonObject
  } catch {
    return undefined
  }
}

function typeUrl(typeName: string): string {
  return `type.googleapis.com/${typeName}`
}
