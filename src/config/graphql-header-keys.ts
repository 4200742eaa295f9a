import { z } from 'zod'
import { describesMessage, forwardProblem } from '../core/forwarded-headers.ts'
import { forwardReplyProblem } from '../core/forwarded-reply-headers.ts'
import { headerProblem } from '../core/header-changes.ts'
import { headerChangeProblems, headerChangesShape, valueProblem } from '../core/header-options.ts'
import { object } from './declare.ts'

const request = z
  .strictObject({
    forward: z
      .array(z.string())
      .default([])
      .describe(
        'Which headers of the client go on, besides Accept-Language: names, or x-* for all that begin so. A pattern covers no credentials and no cookies: they are forwarded where they are named.',
      ),
    ...headerChangesShape,
    rename: headerChangesShape.rename.describe(
      "The client's header of the first name goes on under the second, whether it is forwarded or not.",
    ),
    default: z
      .record(z.string(), z.string())
      .default({})
      .describe('Where nothing is there of the name, after all the others.'),
  })
  .superRefine((changes, context) => {
    const issue = (path: (string | number)[], message: string | undefined): void => {
      if (message !== undefined) context.addIssue({ code: 'custom', path, message })
    }
    for (const { path, message } of headerChangeProblems(changes, 'request')) issue(path, message)
    for (const [index, written] of changes.forward.entries())
      issue(['forward', index], forwardProblem(written))
    for (const [from, to] of Object.entries(changes.rename)) {
      issue(['rename', from], forwardProblem(from))
      issue(['rename', from], aboutMessage(to))
    }
    for (const key of ['set', 'add', 'default'] as const)
      for (const name of Object.keys(changes[key])) issue([key, name], aboutMessage(name))
    for (const [name, text] of Object.entries(changes.default))
      issue(['default', name], headerProblem('request', 'set', name) ?? valueProblem(text))
  })
  .prefault({})

function aboutMessage(name: string): string | undefined {
  return describesMessage(name.toLowerCase())
    ? `"${name}" describes the message of the fetch, which the gateway makes`
    : undefined
}

const forward = z
  .record(z.string(), z.enum(['first', 'last', 'append']))
  .default({})
  .superRefine((rules, context) => {
    for (const [written, merge] of Object.entries(rules)) {
      const isCookie = written.toLowerCase() === 'set-cookie'
      const message =
        forwardReplyProblem(written) ??
        (isCookie && merge !== 'append' ? 'a cookie more does not replace the others: append' : undefined)
      if (message !== undefined) context.addIssue({ code: 'custom', path: [written], message })
    }
  })
  .describe(
    'Which headers of answers go on to the client: by name, or x-* for all that begin so, and what becomes of several: the first to come, the last, or append. A pattern covers no cookies and nothing that browsers obey: they are forwarded where they are named.',
  )

const requestKey = request.describe(
  'What subgraphs are sent. In this order: forward, remove, rename, set, add, default; first the rules for all subgraphs, then those of one.',
)

/** `graphql.headers` */
export const headersKey = object({
  request: requestKey,
  response: object({
    forward,
    cacheControl: z
      .boolean()
      .default(false)
      .describe(
        'Whether answers have a Cache-Control: the strictest of all answers that have a part in them, of which one without the header counts as no-cache. no-store for mutations and where there are errors, private for callers who are known.',
      ),
  }).describe("What clients are sent of the headers of subgraphs' answers."),
}).describe('Headers of all subgraphs (docs/graphql-headers.md).')

/** `graphql.subgraphs.<name>.headers` */
export const ownHeadersKey = object({
  request: requestKey,
  response: object({ forward }).describe('What clients are sent of the headers of its answers.'),
}).describe('Rules for this subgraph, which come after those for all.')
