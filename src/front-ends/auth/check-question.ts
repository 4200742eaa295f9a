import { z } from 'zod'
import { GatewayError, type Violation } from '../../core/error.ts'
import { classifyRequestHeader } from '../../core/headers.ts'
import type { Principal } from '../../core/principal.ts'

/** What is asked about: a request, and who would send it. */
export interface CheckQuestion {
  readonly method: string
  /** A path with its query, or a whole URL. */
  readonly url: string
  /** Undefined: that of the URL, or of the question itself. */
  readonly host: string | undefined
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly caller: CheckCaller
}

/** Who would send it: whoever asks, somebody who is described (null: nobody who is known), or whom credentials prove. */
export type CheckCaller =
  | { readonly kind: 'self' }
  | { readonly kind: 'described'; readonly principal: Principal | null }
  | {
      readonly kind: 'credentials'
      readonly apiKey?: string | undefined
      readonly token?: string | undefined
    }

const texts = z.array(z.string().max(256)).max(256).default([])
const name = z.string().min(1).max(256)

const principal = z.strictObject({
  id: name,
  issuer: name.optional(),
  name: name.optional(),
  consumer: name.optional(),
  roles: texts,
  scopes: texts,
  claims: z.record(z.string(), z.unknown()).optional(),
  via: z.enum(['apiKey', 'jwt', 'introspection', 'certificate']).optional(),
})

const body = z
  .strictObject({
    method: z
      .string()
      .regex(/^[A-Z-]{1,32}$/, 'expected a method in upper case')
      .default('GET'),
    url: z
      .string()
      .max(8_192)
      .regex(/^(?:\/|https?:\/\/)[!-~]*$/, 'expected a path or an http URL, percent-encoded'),
    host: z
      .string()
      .max(255)
      .regex(/^[A-Za-z0-9.:[\]_-]+$/, 'expected a host')
      .optional(),
    headers: z
      .record(z.string().toLowerCase(), z.string().max(8_192))
      .refine((headers) => Object.keys(headers).length <= 100, 'expected 100 at the most')
      .default({}),
    principal: principal.nullish(),
    credentials: z.strictObject({ apiKey: z.string().optional(), token: z.string().optional() }).optional(),
  })
  .superRefine(({ headers, principal, credentials }, context) => {
    for (const header of Object.keys(headers))
      if (classifyRequestHeader(header) === 'credential' || header === 'cookie')
        context.addIssue({ code: 'custom', path: ['headers', header], message: 'belongs into "credentials"' })
    if (credentials === undefined) return
    if (principal !== undefined)
      context.addIssue({ code: 'custom', path: ['principal'], message: 'excludes "credentials"' })
    if (credentials.apiKey === undefined && credentials.token === undefined)
      context.addIssue({ code: 'custom', path: ['credentials'], message: 'has neither "apiKey" nor "token"' })
  })

/** Reads a question. Throws INVALID_BODY, or INVALID_ARGUMENT with what is wrong where. */
export function readQuestion(text: string): CheckQuestion {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new GatewayError('INVALID_BODY', 'The body is not valid JSON.', { cause })
  }
  const { data, error } = body.safeParse(json)
  if (error !== undefined) {
    const violations = error.issues.map(
      ({ path, message }): Violation => ({ field: `/${path.map(String).join('/')}`, detail: message }),
    )
    throw new GatewayError('INVALID_ARGUMENT', 'This is no question about a request.', { violations })
  }
  const { method, url, host, headers } = data
  return { method, url, host, headers, caller: callerOf(data) }
}

function callerOf({ principal, credentials }: z.output<typeof body>): CheckCaller {
  if (credentials !== undefined) return { kind: 'credentials', ...credentials }
  if (principal === undefined) return { kind: 'self' }
  if (principal === null) return { kind: 'described', principal: null }
  const { id, issuer, name, consumer, roles, scopes, claims } = principal
  const via = principal.via ?? (consumer === undefined ? 'jwt' : 'apiKey')
  const known = Object.fromEntries(
    Object.entries({ issuer, name, consumer, claims }).filter(([, value]) => value !== undefined),
  )
  return { kind: 'described', principal: { id, roles, scopes, via, ...known } }
}
