import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { object } from './declare.ts'

/** Those are the gateway's own part of a question. */
const ownHeaders =
  /^(?:accept|accept-encoding|connection|content-length|content-type|host|if-none-match|te|transfer-encoding|upgrade|user-agent)$/i

/** How somebody is asked again and again. */
const askedKeys = {
  interval: duration()
    .refine((ms) => ms >= 100, 'expected at least 100ms')
    .prefault('30s')
    .describe('Between two times, a tenth more or less; a change is applied by itself.'),
  timeout: duration()
    .refine((ms) => ms >= 1, 'expected at least 1ms')
    .prefault('5s')
    .describe('For all of the answer; a start waits no longer.'),
  token: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'expected visible ASCII without spaces')
    .optional()
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it tells what may stand there
    .describe('Sent as Authorization: Bearer. Use ${ENV} or file://.'),
  headers: z
    .record(
      z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header is named by a token (RFC 9110)'),
      z.string().regex(/^[\t\x20-\x7e]*$/, 'expected visible ASCII'),
    )
    .superRefine((headers, context) => {
      for (const name of Object.keys(headers))
        if (ownHeaders.test(name))
          context.addIssue({ code: 'custom', path: [name], message: 'this header is set by the gateway' })
    })
    .default({})
    .describe('Sent besides.'),
}

interface Asked {
  readonly token?: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

function saysOnce({ token, headers }: Asked): boolean {
  return token === undefined || !Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')
}

const twice = { path: ['token'], message: 'is sent as Authorization, which stands among the headers too' }

/** `graphql.subgraphs.*.live`. */
export const liveKey = z
  .strictObject(askedKeys)
  .refine(saysOnce, twice)
  .optional()
  .describe('Asks the subgraph itself for its schema, by _service or introspection, instead of a file.')

/** `graphql.supergraphUrl`. */
export const supergraphUrlKey = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'expected an address that begins with http:// or https://' })
      .refine((text) => {
        const { username, password, hash } = new URL(text)
        return `${username}${password}${hash}` === ''
      }, 'must not hold a user, a password or a fragment; a secret is for token or headers')
      .describe('Where the supergraph is fetched. Redirects are not followed.'),
    ...askedKeys,
    maxBytes: size().prefault('16mb').describe('Largest supergraph.'),
  })
  .refine(saysOnce, twice)
  .optional()
  .describe('A composed supergraph that is fetched, and fetched again when it changes, instead of a file.')

/** `graphql.warmUp`. */
export const warmUpKey = object({
  operations: z
    .int()
    .min(0)
    .max(1_000)
    .default(100)
    .describe('How many of the operations that were asked most; 0: none.'),
  timeout: duration().prefault('10s').describe('For all of them; a new supergraph waits no longer.'),
}).describe('What is planned before a new supergraph takes over.')

interface Sources {
  readonly supergraph?: string | undefined
  readonly supergraphUrl?: object | undefined
  readonly subgraphs: Readonly<
    Record<string, { readonly schema?: string | undefined; readonly live?: object | undefined }>
  >
}

/** What says twice, or nowhere, where the supergraph comes from: the path of the key, and the mistake. */
export function sourceProblems({ supergraph, supergraphUrl, subgraphs }: Sources): [string[], string][] {
  const whole =
    supergraph !== undefined ? 'supergraph' : supergraphUrl !== undefined ? 'supergraphUrl' : undefined
  const problems: [string[], string][] = []
  if (supergraph !== undefined && supergraphUrl !== undefined)
    problems.push([['supergraphUrl'], 'excludes supergraph: one of them says what the supergraph is'])
  if (supergraph !== undefined && /^https?:\/\//.test(supergraph))
    problems.push([['supergraph'], 'is a file; for an address write supergraphUrl: {url: ...}'])
  for (const [name, { schema, live }] of Object.entries(subgraphs)) {
    const at = ['subgraphs', name]
    if (live !== undefined && whole !== undefined)
      problems.push([[...at, 'live'], `is not asked for: graphql.${whole} says what the schema is`])
    else if (live !== undefined && schema !== undefined)
      problems.push([[...at, 'live'], 'excludes schema: one of them says what the schema is'])
    else if (live === undefined && schema === undefined && whole === undefined)
      problems.push([at, 'needs a schema or live (or graphql.supergraph or graphql.supergraphUrl)'])
  }
  return problems
}
