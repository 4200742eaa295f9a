import { z } from 'zod'
import { AddressAccess, accessKeys } from '../core/address-access.ts'
import { GatewayError } from '../core/error.ts'
import type { Exchange } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'
import { definePlugin, type PluginDefinition } from '../pipeline/registry.ts'

const options = z.strictObject(accessKeys).refine(({ allow, deny }) => allow.length + deny.length > 0, {
  message: 'refuses nobody; name who may come in `allow`, or who may not in `deny`',
})

/** Refuses requests by the client's address (behind trusted proxies: the one that they vouch for) with ADDRESS_REFUSED, before identity. */
export const ipAccess: PluginDefinition = definePlugin({
  name: 'ipAccess',
  options,
  create: (lists): Plugin => {
    const access = new AddressAccess(lists)
    return {
      beforeIdentity: true,
      onRequest: (x: Exchange) => {
        if (!access.permits(x.request.clientAddress))
          throw new GatewayError('ADDRESS_REFUSED', 'Requests from this address are not accepted.')
      },
    }
  },
})
