import { GatewayError } from '../../../../core/error.ts'

/** The refusal of files that are not as the GraphQL multipart request specification wants them. */
export function invalidUpload(message: string): GatewayError {
  return new GatewayError('INVALID_ARGUMENT', message)
}
