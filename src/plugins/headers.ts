import { z } from 'zod'
import { compileHeaderChanges } from '../core/header-changes.ts'
import { headerChangesSchema } from '../core/header-options.ts'
import type { Plugin } from '../core/plugin.ts'
import { definePlugin, type PluginDefinition } from '../pipeline/registry.ts'

const options = z.strictObject({
  request: headerChangesSchema('request')
    .prefault({})
    .describe('Headers of each call to an upstream (gRPC: metadata).'),
  response: headerChangesSchema('response')
    .prefault({})
    .describe('Headers of the answer, refusals included.'),
})

/**
 * Changes headers on their way to upstreams and to the client: remove, then rename, set, add. Texts may have values of the exchange
 * in them; what the gateway establishes, and what frames a message, cannot be touched.
 */
export const headers: PluginDefinition = definePlugin({
  name: 'headers',
  options,
  create: ({ request, response }, { place }): Plugin => {
    const change = compileHeaderChanges(request, place, 'request')
    const changeReply = compileHeaderChanges(response, place, 'response')
    return {
      ...(change === undefined ? undefined : { onCall: (x, call) => change(x, call.headers) }),
      ...(changeReply === undefined ? undefined : { onReply: (x, reply) => changeReply(x, reply.headers) }),
    }
  },
})
