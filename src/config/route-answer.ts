import { z } from 'zod'
import { headerProblem } from '../core/header-changes.ts'
import { valueProblem } from '../core/header-options.ts'
import { textProblem } from '../core/text-template.ts'
import { jsonWithTexts, pathProblem, valueText, withoutValues } from './text-keys.ts'

/** `routes[].rewrite.query` */
export const queryChanges = z.strictObject({
  remove: z.array(z.string()).default([]).describe('Names of parameters that are taken out.'),
  set: z
    .record(z.string(), valueText())
    .default({})
    .describe('In place of every parameter of the name; taken out where the text comes out empty.'),
  add: z.record(z.string(), valueText()).default({}).describe('Beside what is there of the name.'),
})

/** `routes[].redirect` */
export const redirectSchema = z.strictObject({
  to: z
    .string()
    .superRefine((to, context) => {
      const message = textProblem(to) ?? addressProblem(to)
      if (message !== undefined) context.addIssue(message)
    })
    .describe(
      'A path, or a URL whose scheme and host are written out; values may stand behind them (docs/shaping.md).',
    ),
  status: z
    .literal([301, 302, 303, 307, 308])
    .default(302)
    .describe('301 and 308 are remembered by clients.'),
  keepQuery: z.boolean().default(false).describe('Whether the query of the request goes along.'),
})

/** `routes[].respond` */
export const respondSchema = z
  .strictObject({
    status: z.int().min(200).max(599).default(200).describe('HTTP status.'),
    headers: z
      .record(z.string(), z.string())
      .default({})
      .superRefine((headers, context) => {
        for (const [name, value] of Object.entries(headers)) {
          const message = headerProblem('response', 'set', name) ?? valueProblem(value)
          if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message })
        }
      })
      .describe('Headers of the answer; values may stand in them.'),
    body: z.string().optional().describe('Text as it is; file://page.html for that of a file.'),
    file: z.string().optional().describe('A file with the bytes of the body, relative to this file.'),
    json: jsonWithTexts().optional().describe('The body as JSON; values may stand in its texts.'),
  })
  .superRefine(({ status, body, file, json }, context) => {
    const bodies = Object.entries({ body, file, json }).filter(([, value]) => value !== undefined)
    for (const [key] of bodies.slice(1))
      context.addIssue({ code: 'custom', path: [key], message: `excludes ${bodies[0]?.[0]}` })
    if (bodies.length > 0 && (status === 204 || status === 304))
      context.addIssue({ code: 'custom', path: ['status'], message: `${status} has no body` })
  })

/** Clients must not choose the host that they are sent to. */
function addressProblem(to: string): string | undefined {
  const [, scheme, host = '', path = ''] = /^(https?:\/\/([^/?#]*))?([^?#]*)/.exec(to) ?? []
  if (/[^!-~]/.test(withoutValues(to))) return 'may have printable ASCII without spaces only'
  if (scheme === undefined && !path.startsWith('/')) return 'must begin with "/", "http://" or "https://"'
  if (scheme === undefined && /^\/[/\\]/.test(path)) return 'must not begin with "//": that is another host'
  if (host.includes('${')) return 'the host must be written out: else requests could choose it'
  if (scheme !== undefined && !/^[A-Za-z0-9.-]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/.test(host))
    return `"${host}" is no host`
  return pathProblem(withoutValues(path))
}
