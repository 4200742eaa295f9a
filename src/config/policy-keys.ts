import { z } from 'zod'
import { object } from './declare.ts'
import type { pluginList } from './plugin-list.ts'

/** The list of plugins that a place may have. */
export type PluginListSchema = ReturnType<typeof pluginList>

const authorize = object({
  roles: z.array(z.string()).default([]).describe('The caller needs one of these.'),
  scopes: z.array(z.string()).default([]).describe('The caller needs all of these.'),
})

/** What a request must pass, in the words of every place that takes requests. */
export function policyKeys(uses: PluginListSchema) {
  return {
    auth: z
      .enum(['required', 'optional', 'none'])
      .default('required')
      .describe(
        'Whether callers must prove who they are. Credentials that are sent must be valid either way.',
      ),
    authorize: authorize.describe('What a caller needs besides an identity.'),
    plugins: uses
      .default([])
      .describe('Plugins of this place, run after the global ones and after identity.'),
    forwardCredentials: z
      .boolean()
      .default(false)
      .describe(
        "Whether the client's own credentials (Authorization, API key, the header or cookie of auth.tokens) go on to the upstream.",
      ),
  }
}
