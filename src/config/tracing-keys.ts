import { z } from 'zod'
import { duration } from '../core/units.ts'
import { clientTlsKeys } from './client-tls-keys.ts'
import { object } from './declare.ts'

/** `observability.tracing`. */
export const tracingKeys = z
  .strictObject({
    otlp: z
      .strictObject({
        url: z
          .string()
          .superRefine((text, context) => {
            const problem = text === '' ? undefined : urlProblem(text)
            if (problem !== undefined) context.addIssue(problem)
          })
          .describe(
            'The collector, by OTLP over HTTP; without a path it is asked at /v1/traces. Empty: there are no traces.',
          ),
        headers: z
          .record(
            z
              .string()
              .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header is named by a token (RFC 9110)')
              .refine((name) => !ownHeaders.has(name.toLowerCase()), 'is written by the gateway'),
            z.string().regex(/^[\t\x20-\x7e]*$/, 'expected visible ASCII'),
          )
          .default({})
          .describe('Headers for the collector, which may be credentials; best from the environment.'),
        compression: z.enum(['none', 'gzip']).default('none').describe('Of what is sent.'),
        timeout: duration()
          .prefault('10s')
          .refine((ms) => ms > 0, 'must be above 0s')
          .describe('For one batch.'),
        tls: clientTlsKeys.optional().describe('How an https collector is verified.'),
      })
      .superRefine(({ url, tls }, context) => {
        if (tls === undefined || !url.startsWith('http://')) return
        context.addIssue({ code: 'custom', path: ['tls'], message: 'is for https URLs' })
      })
      .describe('Where spans go.'),
    sample: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe(
        'Share of the traces that begin here and have spans, 0 to 1; by the trace id, as in the access log.',
      ),
    parentBased: z
      .boolean()
      .default(true)
      .describe(
        'Whether the caller decides for the traces that it began (the sampled flag of traceparent); false: `sample` decides for all.',
      ),
    serviceName: z.string().min(1).max(255).default('trivium').describe('service.name of the spans.'),
    resource: z
      .record(z.string().min(1).max(255), z.union([z.string().max(1_024), z.number(), z.boolean()]))
      .default({})
      .superRefine((resource, context) => {
        if (Object.hasOwn(resource, 'service.name'))
          context.addIssue({ code: 'custom', path: ['service.name'], message: 'is what serviceName says' })
      })
      .describe(
        'Attributes of the gateway as OpenTelemetry names them: deployment.environment.name and the like.',
      ),
    batch: object({
      spans: z.int().min(1).max(10_000).default(512).describe('At the most in one request.'),
      delay: duration().prefault('5s').describe('How long spans wait for others at the most.'),
      queue: z
        .int()
        .min(1)
        .max(100_000)
        .default(2_048)
        .describe('Spans that wait at the most; whatever comes on top is dropped, and counted.'),
    })
      .refine(({ spans, queue }) => spans <= queue, {
        message: 'is more than may wait (queue)',
        path: ['spans'],
      })
      .describe('How spans are sent, in the background.'),
  })
  .refine(({ sample, parentBased }) => sample > 0 || parentBased, {
    message: 'traces nothing; leave tracing out instead',
    path: ['sample'],
  })

function urlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    return 'expected http://host:port or https://host:port'
  if (url.username !== '' || url.password !== '') return 'has a user or password; use headers.authorization'
  return url.hash === '' ? undefined : 'has a fragment, which no server sees'
}

const ownHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
])
