import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { grpcNumbers } from '../../../core/reason-entry.ts'

/** A refusal of the gateway as an encoded `google.rpc.Status` with ErrorInfo, BadRequest, QuotaFailure and RetryInfo, in base64. */
export function statusDetails(x: HttpExchange, error: GatewayError): string {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int32(grpcNumbers[error.code])
  text(writer, 2, error.message)
  detail(writer, 'google.rpc.ErrorInfo', (info) => {
    text(info, 1, error.reason)
    text(info, 2, 'trivium')
    const metadata = { number: error.entry.number, requestId: x.id, traceId: x.trace.traceId }
    for (const [key, value] of Object.entries(metadata)) {
      message(info, 3, (entry) => {
        text(entry, 1, key)
        text(entry, 2, value)
      })
    }
  })
  if (error.violations.length > 0) {
    detail(writer, 'google.rpc.BadRequest', (request) => {
      for (const { field, detail: description } of error.violations) {
        message(request, 1, (violation) => {
          text(violation, 1, field)
          text(violation, 2, description)
        })
      }
    })
  }
  if (error.reason === 'QUOTA_EXCEEDED')
    detail(writer, 'google.rpc.QuotaFailure', (failure) =>
      message(failure, 1, (violation) => text(violation, 2, error.message)),
    )
  const { retryAfterMs } = error
  if (retryAfterMs !== undefined) {
    detail(writer, 'google.rpc.RetryInfo', (info) =>
      message(info, 1, (duration) => {
        duration.tag(1, WireType.Varint).int64(Math.floor(retryAfterMs / 1_000))
        duration.tag(2, WireType.Varint).int32(Math.floor((retryAfterMs % 1_000) * 1_000_000))
      }),
    )
  }
  return Buffer.from(writer.finish()).toString('base64').replace(/=+$/, '')
}

/** One `google.protobuf.Any` among the details. */
function detail(writer: BinaryWriter, typeName: string, write: (value: BinaryWriter) => void): void {
  message(writer, 3, (any) => {
    text(any, 1, `type.googleapis.com/${typeName}`)
    message(any, 2, write)
  })
}

function message(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork()
  write(writer)
  writer.join()
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value)
}
