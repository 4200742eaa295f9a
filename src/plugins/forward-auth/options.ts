import { z } from 'zod'
import { headerProblem } from '../../core/header-changes.ts'
import { classifyRequestHeader } from '../../core/headers.ts'
import { duration } from '../../core/units.ts'

const headerName = z.string().toLowerCase()

/** A header that goes to the service: anything a client may say of itself. */
const sentHeader = headerName.superRefine((name, context) => {
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) context.addIssue(`"${name}" is no header name`)
  else if (classifyRequestHeader(name) === 'drop')
    context.addIssue(`a client's own "${name}" is not believed; what the gateway knows is sent in any case`)
})

/** A header that goes on to backends: nothing that frames a message or that the gateway itself says. */
const copiedHeader = headerName.superRefine((name, context) => {
  const message = headerProblem('request', 'set', name)
  if (message !== undefined) context.addIssue(message)
})

export const forwardAuthOptions = z
  .strictObject({
    upstream: z.string().describe('Whom to ask: a name under upstreams, whose limits, circuit and TLS hold.'),
    path: z
      .string()
      .regex(/^\/[^\s?#]*$/, 'expected a path without query')
      .default('/')
      .describe('Where, by GET. What the client asked for is in X-Forwarded-Method, -Proto, -Host and -Uri.'),
    requestHeaders: z
      .array(sentHeader)
      .default(['authorization', 'cookie'])
      .describe("The client's headers that are sent. A body never is."),
    responseHeaders: z
      .array(copiedHeader)
      .default([])
      .describe('Headers of the answer that backends get; what the client sent of these names never passes.'),
    user: headerName
      .optional()
      .describe(
        'The header of the answer with the id of the user, where auth is none; backends get X-User-ID.',
      ),
    timeout: duration().prefault('1s').describe('For the question, all tries together.'),
    onError: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe('While the service fails: 503, or as if it had said yes.'),
    cacheFor: duration().prefault('0s').describe('How long a yes holds; 0s: every request asks.'),
    cacheBy: z
      .array(
        z
          .string()
          .regex(
            /^(?:user|ip|method|path|query|host|route|header:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$/,
            'expected user, ip, method, path, query, host, route or header:<name>',
          ),
      )
      .default([])
      .describe(
        'What the answer depends on; empty: on all that is sent. A request that lacks one of them is always asked about.',
      ),
  })
  .superRefine(({ cacheFor, cacheBy }, context) => {
    if (cacheFor === 0 && cacheBy.length > 0)
      context.addIssue({ code: 'custom', path: ['cacheBy'], message: 'does nothing without cacheFor' })
  })

export type ForwardAuthOptions = z.output<typeof forwardAuthOptions>
