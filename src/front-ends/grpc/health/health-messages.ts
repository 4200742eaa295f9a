import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** `grpc.health.v1.HealthCheckResponse.ServingStatus`. Source: `grpc/health/v1/health.proto`. */
export const servingStatus = { unknown: 0, serving: 1, notServing: 2, serviceUnknown: 3 } as const

/** One of {@link servingStatus}. */
export type ServingStatus = (typeof servingStatus)[keyof typeof servingStatus]

/** The full name of the service that has the methods. */
export const healthService = 'grpc.health.v1.Health'

/** A HealthCheckRequest. */
export function encodeHealthRequest(service: string): Uint8Array {
  const writer = new BinaryWriter()
  return (service === '' ? writer : writer.tag(1, WireType.LengthDelimited).string(service)).finish()
}

/** The service that a HealthCheckRequest asks for; `''` for the server as a whole. Throws for bytes that are none. */
export function decodeHealthRequest(bytes: Uint8Array): string {
  let service = ''
  eachField(bytes, (field, wireType, reader) => {
    if (field !== 1 || wireType !== WireType.LengthDelimited) return false
    service = reader.string()
    return true
  })
  return service
}

/** A HealthCheckResponse. */
export function encodeHealthResponse(status: ServingStatus): Uint8Array {
  return new BinaryWriter().tag(1, WireType.Varint).int32(status).finish()
}

/** The status in a HealthCheckResponse. Throws for bytes that are none. */
export function decodeHealthResponse(bytes: Uint8Array): number {
  let status = 0
  eachField(bytes, (field, wireType, reader) => {
    if (field !== 1 || wireType !== WireType.Varint) return false
    status = reader.int32()
    return true
  })
  return status
}

/** A HealthListResponse: `map<string, HealthCheckResponse> statuses = 1`. */
export function encodeHealthList(statuses: ReadonlyMap<string, ServingStatus>): Uint8Array {
  const writer = new BinaryWriter()
  for (const [service, status] of statuses) {
    writer.tag(1, WireType.LengthDelimited).fork()
    writer.tag(1, WireType.LengthDelimited).string(service)
    writer.tag(2, WireType.LengthDelimited).bytes(encodeHealthResponse(status))
    writer.join()
  }
  return writer.finish()
}

type Take = (field: number, wireType: WireType, reader: BinaryReader) => boolean

/** Passes over the fields that `take` does not read. */
function eachField(bytes: Uint8Array, take: Take): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (!take(field, wireType, reader)) reader.skip(wireType, field)
  }
}
