import { GatewayError, type Violation } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { requireJsonBody } from '../../core/json-body-type.ts'
import { essence, isJsonType } from '../../core/media-type.ts'
import type { Plugin } from '../../core/plugin.ts'
import { definePlugin, type PluginDefinition } from '../../pipeline/registry.ts'
import { compileOpenApi } from './openapi.ts'
import { validateOptions } from './options.ts'
import { type BodyRules, compileOwnSchemas, type RequestRules } from './own-schemas.ts'
import { readJson } from './read-json.ts'

/**
 * Refuses requests that do not fit a JSON Schema or an OpenAPI document, before any backend hears of them; what it has read of a body is exactly
 * what goes on.
 */
export const validate: PluginDefinition = definePlugin({
  name: 'validate',
  options: validateOptions,
  create: (options, { place }): Plugin => {
    if (place.protocol !== 'rest')
      throw new Error('validate is for REST routes; others are held to their own schemas')
    const { openapi, basePath = '', maxBytes } = options
    const rulesOf =
      openapi === undefined ? always(compileOwnSchemas(options, place)) : compileOpenApi(openapi, basePath)
    return {
      onRequest(x: Exchange): void | Promise<void> {
        const rules = rulesOf(x)
        refuseFor(rules.head(x))
        if (rules.body !== undefined) return checkBody(x, rules.body, maxBytes)
      },
    }
  },
})

function always(rules: RequestRules): () => RequestRules {
  return () => rules
}

async function checkBody(
  x: Exchange,
  { required, types, check }: BodyRules,
  maxBytes: number,
): Promise<void> {
  if (!x.hasBody) {
    if (required) refuseFor([missing])
    return
  }
  const type = essence(x.header('content-type') ?? '')
  if (types.length > 0 && !types.some((one) => fits(type, essence(one)))) {
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The API description has no such content type here.', {
      headers: ['Accept-Post', types.join(', ')],
    })
  }
  if (check === undefined || (types.length > 0 && !isJsonType(type))) return
  // Before anything is read of it.
  requireJsonBody(x, { suffix: true })
  const body = await x.body(maxBytes)
  if (body.length > 0) refuseFor(check(readJson(body)))
  else if (required) refuseFor([missing])
}

/** OpenAPI 3.1.1 section 4.8.13.1: media types, or ranges of them. */
function fits(type: string, range: string): boolean {
  return range === '*/*' || type === range || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)))
}

const missing: Violation = { field: '#', detail: 'a body is required' }

function refuseFor(violations: readonly Violation[]): void {
  if (violations.length === 0) return
  const [first] = violations
  throw new GatewayError('INVALID_ARGUMENT', `The request is not valid: ${first?.field} ${first?.detail}.`, {
    violations,
  })
}
