import { z } from 'zod'
import type { Exchange, ReplyHead } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'
import { duration } from '../core/units.ts'
import { definePlugin, type PluginDefinition } from '../pipeline/registry.ts'

/** A header's value on one line, or false for no such header. */
function valueOr(preset: string | false) {
  return z
    .union([z.literal(false), z.string().regex(/^[\x20-\x7e]+$/, 'expected one line of ASCII')])
    .default(preset)
}

const hsts = z
  .union([
    z.literal(false),
    z
      .strictObject({
        maxAge: duration().prefault('365d').describe('How long browsers use nothing but https.'),
        includeSubDomains: z.boolean().default(false).describe('Whether for names below this one, too.'),
        preload: z
          .boolean()
          .default(false)
          .describe('Whether browsers may ship it; see hstspreload.org before.'),
      })
      .refine(
        ({ maxAge, includeSubDomains, preload }) => !preload || (includeSubDomains && maxAge >= yearMs),
        {
          message: 'preload needs includeSubDomains and a maxAge of 365d (hstspreload.org)',
        },
      ),
  ])
  .prefault({})
  .describe('Strict-Transport-Security (RFC 6797), on answers by https only; false: none.')

const yearMs = 31_536_000_000

const options = z.strictObject({
  hsts,
  contentTypeOptions: z.boolean().default(true).describe('X-Content-Type-Options: nosniff.'),
  frameOptions: z
    .union([z.literal(false), z.enum(['DENY', 'SAMEORIGIN'])])
    .default('DENY')
    .describe(
      'X-Frame-Options, and frame-ancestors of contentSecurityPolicy where that is not given; false: neither.',
    ),
  contentSecurityPolicy: z
    .union([z.literal(false), z.string().regex(/^[\x20-\x7e]+$/, 'expected one line of ASCII')])
    .optional()
    .describe('Content-Security-Policy; by default frame-ancestors as frameOptions says; false: none.'),
  referrerPolicy: valueOr('strict-origin-when-cross-origin').describe('Referrer-Policy; false: none.'),
  permissionsPolicy: valueOr('camera=(), geolocation=(), microphone=()').describe(
    'Permissions-Policy; false: none.',
  ),
  crossOriginOpenerPolicy: valueOr('same-origin').describe('Cross-Origin-Opener-Policy; false: none.'),
  crossOriginResourcePolicy: valueOr('same-origin').describe(
    'Cross-Origin-Resource-Policy; false: none. Pages of other origins read answers by CORS all the same.',
  ),
  crossOriginEmbedderPolicy: valueOr(false).describe(
    'Cross-Origin-Embedder-Policy; none by default: it breaks pages that embed others.',
  ),
  override: z.boolean().default(false).describe('Whether a header that the backend sent is replaced.'),
})

type Options = z.output<typeof options>

/** Puts headers on every answer that tell browsers to be careful. What a backend says of itself stays, unless `override`. */
export const securityHeaders: PluginDefinition = definePlugin({
  name: 'securityHeaders',
  options,
  create: (settings): Plugin => {
    const all = headersOf(settings)
    const plain = all.filter(({ name }) => name !== hstsName)
    if (all.length === 0) throw new Error('puts no header; leave it out')
    const put = settings.override ? replace : complete
    return { onReply: (x, reply) => put(reply.headers, isHttps(x) ? all : plain) }
  },
})

interface Header {
  readonly name: string
  readonly lower: string
  readonly value: string
}

const hstsName = 'Strict-Transport-Security'

function headersOf(settings: Options): Header[] {
  const { frameOptions, hsts, contentSecurityPolicy = framePolicy[String(frameOptions)] ?? false } = settings
  const values: readonly (readonly [string, string | false])[] = [
    [hstsName, hsts && hstsValue(hsts)],
    ['X-Content-Type-Options', settings.contentTypeOptions && 'nosniff'],
    ['X-Frame-Options', frameOptions],
    ['Content-Security-Policy', contentSecurityPolicy],
    ['Referrer-Policy', settings.referrerPolicy],
    ['Permissions-Policy', settings.permissionsPolicy],
    ['Cross-Origin-Opener-Policy', settings.crossOriginOpenerPolicy],
    ['Cross-Origin-Resource-Policy', settings.crossOriginResourcePolicy],
    ['Cross-Origin-Embedder-Policy', settings.crossOriginEmbedderPolicy],
  ]
  return values.flatMap(([name, value]) =>
    value === false ? [] : [{ name, lower: name.toLowerCase(), value }],
  )
}

const framePolicy: Readonly<Record<string, string>> = {
  DENY: "frame-ancestors 'none'",
  SAMEORIGIN: "frame-ancestors 'self'",
}

function hstsValue({ maxAge, includeSubDomains, preload }: Exclude<Options['hsts'], false>): string {
  const more = `${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`
  return `max-age=${Math.floor(maxAge / 1_000)}${more}`
}

/** RFC 6797 section 7.2: not over plain http. A trusted proxy in front may be the one that speaks TLS. */
function isHttps(x: Exchange): boolean {
  const { scheme, peerTrusted } = x.request
  return scheme === 'https' || (peerTrusted && x.header('x-forwarded-proto') === 'https')
}

function complete(headers: ReplyHead['headers'], ours: readonly Header[]): void {
  const end = headers.length
  for (const { name, lower, value } of ours) if (!has(headers, lower, end)) headers.push(name, value)
}

function replace(headers: ReplyHead['headers'], ours: readonly Header[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const sent = (headers[i] as string).toLowerCase()
    if (ours.some(({ lower }) => lower === sent)) headers.splice(i, 2)
  }
  for (const { name, value } of ours) headers.push(name, value)
}

/** Whether one of the names before `end` is this; few have its length. */
function has(headers: readonly string[], lower: string, end: number): boolean {
  for (let i = 0; i < end; i += 2) {
    const name = headers[i] as string
    if (name.length === lower.length && name.toLowerCase() === lower) return true
  }
  return false
}
