import { z } from 'zod'
import { describesMessage, forwardProblem } from '../core/forwarded-headers.ts'
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

/** `graphql.headers` and `graphql.subgraphs.<name>.headers` */
export const subgraphHeadersKey = object({
  request: request.describe(
    'What subgraphs are sent. In this order: forward, remove, rename, set, add, default; first the rules for all subgraphs, then those of one.',
  ),
})
