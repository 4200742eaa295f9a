import { status } from '@grpc/grpc-js'

/** Domain of every ErrorInfo that the library sends. */
const domain = 'library.example'

/** A google.rpc.Status before it is encoded. */
export interface RpcStatus {
  /** One of the 16 numbers of google.rpc.Code. */
  readonly code: number
  readonly message: string
  /** Messages of google/rpc/error_details.proto, each with its type URL in `@type`. */
  readonly details: readonly object[]
}

/** A failed call, with what goes into `grpc-status-details-bin`. */
export class RpcError extends Error {
  readonly status: RpcStatus

  constructor(status: RpcStatus) {
    super(status.message)
    this.name = 'RpcError'
    this.status = status
  }
}

/** The failure of a call for a `book` or `shelf` that is not there: ErrorInfo and ResourceInfo. */
export function notFound(resource: 'book' | 'shelf', id: string): RpcError {
  const message = `There is no ${resource} ${id}.`
  const resourceInfo = {
    '@type': 'type.googleapis.com/google.rpc.ResourceInfo',
    resourceType: `library.example/${resource}`,
    resourceName: id,
    description: message,
  }
  const reason = `${resource.toUpperCase()}_NOT_FOUND`
  return new RpcError({ code: status.NOT_FOUND, message, details: [errorInfo(reason), resourceInfo] })
}

/** One field that a client got wrong; `field` is its path in the request message: `book.title`. */
export interface FieldViolation {
  readonly field: string
  readonly description: string
}

/** The failure of a call with wrong fields: BadRequest. */
export function invalidArgument(fieldViolations: readonly FieldViolation[]): RpcError {
  const message = fieldViolations.map(({ field, description }) => `${field} ${description}`).join('; ')
  const badRequest = { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations }
  return new RpcError({ code: status.INVALID_ARGUMENT, message, details: [badRequest] })
}

/** The failure that `fail_after` asks for. */
export function watchAborted(): RpcError {
  const details = [errorInfo('WATCH_ABORTED')]
  return new RpcError({ code: status.ABORTED, message: 'The watch was aborted, as asked.', details })
}

function errorInfo(reason: string): object {
  return { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain }
}
