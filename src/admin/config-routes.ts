import { parse, YAMLParseError } from 'yaml'
import { z } from 'zod'
import type { ControlPlane } from '../control/control-plane.ts'
import { GatewayError } from '../core/error.ts'
import { type AdminAnswer, type AdminRoute, adminRoute } from './admin-route.ts'
import { changeShape } from './dry-answer.ts'
import { writeOptions, writtenAnswer, writtenShape } from './written-answer.ts'

const document = z
  .looseObject({})
  .meta({ id: 'Document', description: 'A configuration as it is written, secrets masked.' })

const problemShape = z.strictObject({
  file: z.string(),
  line: z.int().describe('From 1; 0: not known.'),
  column: z.int(),
  path: z.string(),
  message: z.string(),
})

/** `/config`: the configuration as a whole, as YAML or JSON. */
export function configRoutes(control: ControlPlane): AdminRoute[] {
  return [
    adminRoute({
      method: 'GET',
      path: '/config',
      scope: 'read',
      summary: 'The configuration that runs',
      description:
        'YAML with its comments, or JSON with `Accept: application/json`. Secrets are `***`; what comes back so stays as it was.',
      also: [304],
      answer: document,
      serve: ({ accept }) => asDocument(control.text, accept, control.etag),
    }),
    adminRoute({
      method: 'PUT',
      path: '/config',
      scope: 'write',
      summary: 'Put another configuration in place',
      takes: 'config',
      answer: writtenShape,
      async serve(call) {
        requireText(call.text)
        return writtenAnswer(await control.write([{ op: 'replace', text: call.text }], writeOptions(call)))
      },
    }),
    adminRoute({
      method: 'PATCH',
      path: '/config',
      scope: 'write',
      summary: 'Change parts of the configuration',
      description: 'RFC 7396: objects are merged, lists are replaced, `null` takes a member away.',
      takes: 'config',
      answer: writtenShape,
      async serve(call) {
        requireText(call.text)
        return writtenAnswer(
          await control.write([{ op: 'merge', value: parsed(call.text) }], writeOptions(call)),
        )
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/config:validate',
      scope: 'read',
      writes: false,
      summary: 'Check a configuration',
      description: 'It is checked and built as if it were to run.',
      takes: 'config',
      answer: z.strictObject({ valid: z.boolean(), problems: z.array(problemShape) }),
      async serve({ text }) {
        requireText(text)
        const problems = await control.validate(text)
        return { body: { valid: problems.length === 0, problems } }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/config:diff',
      scope: 'read',
      writes: false,
      summary: 'What a configuration would change',
      query: z.strictObject({
        from: versionNumber.optional().describe('A version. Default: the configuration that runs.'),
        to: versionNumber.optional().describe('A version, instead of a configuration in the body.'),
      }),
      takes: 'config',
      answer: z.strictObject({ changes: z.array(changeShape) }),
      async serve({ text, query: { from, to } }) {
        if (to !== undefined) return { body: { changes: await control.diff({ version: to }, from) } }
        requireText(text)
        return { body: { changes: await control.diff({ text }, from) } }
      },
    }),
  ]
}

/** The number of a version in a query. */
export const versionNumber = z.coerce.number('is the number of a version').int().min(1)

/** YAML as it is, or JSON for who takes it and no YAML. */
export function asDocument(text: string, accept: string, etag?: string): AdminAnswer {
  const wantsJson = /\bjson\b/i.test(accept) && !/\byaml\b/i.test(accept)
  return { body: wantsJson ? parse(text) : text, etag }
}

function requireText(text: string): void {
  if (text.trim() === '')
    throw new GatewayError('INVALID_BODY', 'A configuration was expected, as YAML or JSON; nothing was sent.')
}

function parsed(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 })
  } catch (error) {
    const [line] = (error instanceof YAMLParseError ? error.message : 'it cannot be read').split('\n')
    throw new GatewayError('INVALID_BODY', `The body is no YAML: ${line}`, { cause: error })
  }
}
