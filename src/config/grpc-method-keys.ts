import { z } from 'zod'
import { duration } from '../core/units.ts'
import { authorizeKey } from './authorize-keys.ts'
import { type PluginListSchema, policyKeys } from './policy-keys.ts'

/** `methods` of a gRPC service: what is different for some of them. */
export function grpcMethodsKey(uses: PluginListSchema) {
  const { auth, plugins } = policyKeys(uses)
  return z
    .record(
      z.string(),
      z.strictObject({
        auth: auth.unwrap().optional().describe("Instead of the service's."),
        authorize: authorizeKey
          .unwrap()
          .optional()
          .describe("Instead of the service's, as a whole; with auth: none nothing of it is left."),
        plugins: plugins.describe("Run after the service's, which hold for all its methods."),
        timeout: duration().optional().describe("Deadline of a call, instead of the service's."),
      }),
    )
    .default({})
    .describe(
      'By name, GetBook: what holds for one method, whichever way it is called; the rest is as the service has it.',
    )
}
