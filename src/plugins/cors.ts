import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { Exchange, ReplyHead } from '../core/exchange.ts'
import { allowedPage } from '../core/page-origin.ts'
import type { Plugin } from '../core/plugin.ts'
import { duration } from '../core/units.ts'
import { definePlugin, type PluginDefinition } from '../pipeline/registry.ts'
import { CorsOrigins, originProblem } from './cors-origins.ts'

const token = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'is no HTTP token')

const lists = ['allowOrigins', 'allowMethods', 'allowHeaders', 'exposeHeaders'] as const

const options = z
  .strictObject({
    allowOrigins: z
      .array(z.string())
      .default(['*'])
      .describe(
        'Origins that may read answers, as browsers write them (https://app.example.com), those of all hosts below a name (https://*.example.com), or "*" for all.',
      ),
    allowMethods: z
      .array(token)
      .default(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
      .describe('Methods that a page of another origin may use; "*" for all.'),
    allowHeaders: z
      .array(token)
      .default([
        'Authorization',
        'Content-Type',
        'X-API-Key',
        'X-Request-Id',
        'traceparent',
        'tracestate',
        'x-grpc-web',
        'x-user-agent',
        'grpc-timeout',
        'Connect-Protocol-Version',
        'Connect-Timeout-Ms',
        'apollo-require-preflight',
        'x-apollo-operation-name',
        'apollographql-client-name',
        'apollographql-client-version',
      ])
      .describe('Request headers that a page of another origin may send; "*" for all but Authorization.'),
    exposeHeaders: z
      .array(token)
      .default([
        'X-Request-Id',
        'X-Trace-ID',
        'RateLimit',
        'RateLimit-Policy',
        'Retry-After',
        'grpc-status',
        'grpc-message',
        'grpc-status-details-bin',
      ])
      .describe('Headers of answers that a page of another origin may read; "*" for all.'),
    allowCredentials: z
      .boolean()
      .default(false)
      .describe('Whether cookies and the like may come along; then nothing may be "*".'),
    maxAge: duration().prefault('10m').describe('How long browsers may remember a preflight.'),
  })
  .superRefine((value, context) => {
    value.allowOrigins.forEach((origin, i) => {
      const message = originProblem(origin)
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['allowOrigins', i], message })
    })
    value.allowMethods.forEach((method, i) => {
      if (method === method.toUpperCase()) return
      const message = `"${method}" is another method than ${method.toUpperCase()} to browsers (Fetch standard, section 2.2.1)`
      context.addIssue({ code: 'custom', path: ['allowMethods', i], message })
    })
    for (const key of lists) {
      if (!value[key].includes('*') || value[key].length === 1) continue
      // Authorization is what "*" leaves out (Fetch standard, section 4.8).
      if (key === 'allowHeaders' && value[key].every((name) => name === '*' || /^authorization$/i.test(name)))
        continue
      const message = '"*" is all of them; leave out the others'
      context.addIssue({ code: 'custom', path: [key], message })
    }
    if (!value.allowCredentials) return
    for (const key of lists) {
      if (!value[key].includes('*')) continue
      const message =
        '"*" is not allowed together with allowCredentials; name each one (Fetch standard, section 3.3.5)'
      context.addIssue({ code: 'custom', path: [key], message })
    }
  })

/**
 * Cross-origin resource sharing (Fetch standard, section 3.3). Preflights end here with 204; one from an origin that is not allowed
 * gets no CORS header, which is what makes the browser refuse. Answers, refusals included, get the headers as they leave, in
 * place of any CORS headers of the upstream's own, those for private networks among them: what was a draft has no effect in browsers any more. A WebSocket of a page whose origin is neither allowed nor the gateway's own, or with cookies under "*", is refused
 * with ORIGIN_REFUSED: no CORS header would keep the browser from it.
 */
export const cors: PluginDefinition = definePlugin({
  name: 'cors',
  options,
  create: (settings): Plugin => new Cors(settings),
})

const preflightVary = 'Access-Control-Request-Method, Access-Control-Request-Headers'

class Cors implements Plugin {
  /** Preflights carry no credentials (Fetch standard, section 3.3.5). */
  readonly beforeIdentity = true
  readonly #origins: CorsOrigins
  readonly #credentials: boolean
  readonly #preflightHeaders: readonly string[]
  readonly #exposeHeaders: string

  constructor(settings: z.output<typeof options>) {
    this.#origins = new CorsOrigins(settings.allowOrigins)
    this.#credentials = settings.allowCredentials
    this.#exposeHeaders = settings.exposeHeaders.join(', ')
    const preflight = ['Access-Control-Allow-Methods', settings.allowMethods.join(', ')]
    if (settings.allowHeaders.length > 0) {
      preflight.push('Access-Control-Allow-Headers', settings.allowHeaders.join(', '))
    }
    preflight.push('Access-Control-Max-Age', String(Math.floor(settings.maxAge / 1_000)))
    this.#preflightHeaders = preflight
  }

  onRequest(x: Exchange): void {
    if (x.request.method === 'OPTIONS' && isPreflight(x)) x.answer(204, [], '')
    else if (x.request.headers.upgrade !== undefined) this.#checkUpgrade(x)
  }

  /** Browsers open a WebSocket for every page, cookies included, and ask nobody: only the server can refuse (RFC 6455 section 10.2). */
  #checkUpgrade(x: Exchange): void {
    const origin = x.header('origin')
    if (origin === undefined) return
    // "*" is for requests without credentials, and here cookies come along unasked.
    const covered = !this.#origins.everybody || x.request.headers.cookie === undefined
    if (covered && this.#origins.includes(origin)) {
      x.set(allowedPage, true)
      return
    }
    if (origin.slice(origin.indexOf('://') + 3) === x.request.host.toLowerCase()) return
    throw new GatewayError('ORIGIN_REFUSED', 'Pages of this origin may not open a WebSocket.')
  }

  onReply(x: Exchange, { headers }: ReplyHead): void {
    removeCors(headers)
    const { everybody } = this.#origins
    const origin = x.header('origin')
    const preflight = x.request.method === 'OPTIONS' && isPreflight(x)
    // What is the same for every origin is sent to all, so that caches may keep one answer (Fetch standard, "CORS protocol and HTTP caches").
    if (!everybody) headers.push('Vary', 'Origin')
    if (preflight) headers.push('Vary', preflightVary)
    if (!everybody && (origin === undefined || !this.#origins.includes(origin))) return
    headers.push('Access-Control-Allow-Origin', everybody ? '*' : (origin as string))
    if (this.#credentials) headers.push('Access-Control-Allow-Credentials', 'true')
    if (preflight) headers.push(...this.#preflightHeaders)
    else if (this.#exposeHeaders !== '') headers.push('Access-Control-Expose-Headers', this.#exposeHeaders)
  }
}

function isPreflight(x: Exchange): boolean {
  return x.header('origin') !== undefined && x.header('access-control-request-method') !== undefined
}

function removeCors(headers: string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i] as string
    if (name.length > 15 && name.slice(0, 15).toLowerCase() === 'access-control-') headers.splice(i, 2)
  }
}
