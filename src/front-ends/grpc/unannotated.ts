import type { HttpBinding } from './http-rule.ts'

/**
 * The binding of a method without an annotation: `POST /package.Service/Method`, the whole message as the body; as Envoy's
 * `auto_mapping` and grpc-gateway's `generate_unbound_methods` have it.
 */
export function unannotatedBinding(path: string): HttpBinding {
  return { verb: 'POST', template: path, body: '*', responseBody: '' }
}
