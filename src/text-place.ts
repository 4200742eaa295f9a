import type { Protocol } from './core/front-end.ts'
import type { HttpExchange } from './core/http-exchange.ts'
import type { Place } from './core/text-template.ts'
import { bindVariables, parseTemplate, rawVariables } from './routing/template.ts'

/** What texts may name where requests are routed by `template`; without one there are no variables. */
export function textPlace(
  template: string | undefined,
  { protocol, credentialHeaders }: { protocol: Protocol | undefined; credentialHeaders: ReadonlySet<string> },
): Place {
  const parsed = template === undefined ? undefined : parseTemplate(template)
  return {
    protocol,
    credentialHeaders,
    variable(name) {
      const index = parsed?.variables.findIndex(({ path }) => path.join('.') === name) ?? -1
      if (parsed === undefined || index === -1) return undefined
      // Only exchanges with a path are routed by one.
      return {
        decoded: (x) => bindVariables(parsed, (x as HttpExchange).segments)[index] ?? '',
        raw: (x) => rawVariables(parsed, (x as HttpExchange).segments)[index] ?? '',
      }
    },
  }
}
