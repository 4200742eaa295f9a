import type { Policy } from '../../core/route.ts'
import type { RpcMethod } from './descriptors.ts'
import type { ServiceOptions } from './service-options.ts'

/** What a call of the method must pass, whichever way it comes. */
export function policyOf({ methods, policy }: ServiceOptions, { desc }: RpcMethod): Policy {
  return methods?.get(desc.name)?.policy ?? policy
}

/** Milliseconds for a call of the method where a client waits for it; 0: no limit. */
export function timeoutOf(service: ServiceOptions, method: RpcMethod): number {
  const { requestTimeoutMs } = service.destination.upstream.options
  return configuredTimeout(service, method) ?? (method.desc.methodKind === 'unary' ? requestTimeoutMs : 0)
}

/** What the configuration says of the time for a call of the method. */
export function configuredTimeout(service: ServiceOptions, { desc }: RpcMethod): number | undefined {
  return service.methods?.get(desc.name)?.timeoutMs ?? service.timeoutMs
}
