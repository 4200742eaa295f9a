import { GatewayError } from '../../../core/error.ts'

/** A refusal of one message of a stream, by its index from 0. What is the gateway's own fault stays as it is. */
export function elementError(error: GatewayError, index: number): GatewayError {
  const { reason, message, violations, cause } = error
  if (reason === 'INTERNAL') return error
  const element = `[${index}]`
  const placed = violations.map(({ field, detail }) => ({
    field: field === '' ? element : `${element}.${field}`,
    detail,
  }))
  return new GatewayError(reason, `Message ${element}: ${message}`, {
    cause,
    violations: placed.length > 0 ? placed : [{ field: element, detail: message }],
  })
}
