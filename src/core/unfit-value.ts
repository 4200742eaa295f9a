import { GatewayError } from './error.ts'

/** The refusal of a value that does not fit where it is wanted: the client's fault, but for what another backend answered. */
export function unfitValue(name: string, detail: string): GatewayError {
  const reason = /^(?:parts|this|batch)\./.test(name) ? 'UPSTREAM_BAD_ANSWER' : 'INVALID_ARGUMENT'
  return new GatewayError(reason, `"${name}" ${detail}.`, { violations: [{ field: name, detail }] })
}
