import { z } from 'zod'
import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import { definePlugin, type PluginDefinition } from '../../pipeline/registry.ts'
import { agentPatterns } from './agent-patterns.ts'
import { scanners } from './scanners.ts'

const pattern = z
  .string()
  .min(2, 'a pattern has two characters at least')
  .max(200)
  .refine((text) => /[^*\s]/.test(text), 'fits every client; name a part of it')

const options = z
  .strictObject({
    allow: z
      .array(pattern)
      .default([])
      .describe(
        'Clients that may come: texts that occur in User-Agent, or patterns of all of it with *. Empty: all.',
      ),
    deny: z
      .array(pattern)
      .default([])
      .describe('Clients that may not, whatever `allow` says; written alike.'),
    required: z.boolean().default(false).describe('Whether a request needs a User-Agent.'),
    scanners: z
      .boolean()
      .default(false)
      .describe(
        'Whether well-known scanners for holes are denied (sqlmap, nikto, nuclei and the like), as long as they say who they are.',
      ),
  })
  .refine(({ allow, deny, required, scanners }) => allow.length + deny.length > 0 || required || scanners, {
    message: 'refuses nobody; set one of allow, deny, required and scanners',
  })

/**
 * Refuses clients by what they call themselves, with AGENT_REFUSED, before identity. It keeps out those that are honest: anybody may send any
 * User-Agent.
 */
export const userAgent: PluginDefinition = definePlugin({
  name: 'userAgent',
  options,
  create: (settings): Plugin => {
    const denied = agentPatterns(settings.scanners ? [...settings.deny, ...scanners] : settings.deny)
    const allowed = agentPatterns(settings.allow)
    const open = settings.allow.length === 0
    return {
      beforeIdentity: true,
      onRequest: (x: Exchange) => {
        const agent = x.header('user-agent') ?? ''
        if (agent === '' && settings.required)
          throw new GatewayError('AGENT_REFUSED', 'Requests need a User-Agent header.')
        if (denied(agent) || (!open && !allowed(agent)))
          throw new GatewayError('AGENT_REFUSED', 'Requests of this client are not accepted.')
      },
    }
  },
})
