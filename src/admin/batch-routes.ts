import { z } from 'zod'
import { type ConfigEdit, itemKinds } from '../control/change.ts'
import type { ControlPlane } from '../control/control-plane.ts'
import { type AdminRoute, adminRoute } from './admin-route.ts'
import { sentValue } from './item-routes.ts'
import { maxConfigBytes } from './read-input.ts'
import { writeOptions, writtenAnswer, writtenShape } from './written-answer.ts'

const named = { kind: z.enum(itemKinds), id: z.string().min(1) }
const value = z.record(z.string(), z.unknown())

const operationShape = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('create'), ...named, value, before: z.string().optional() }),
  z.strictObject({ op: z.literal('put'), ...named, value }),
  z.strictObject({ op: z.literal('patch'), ...named, value }),
  z.strictObject({ op: z.literal('delete'), ...named }),
  z.strictObject({ op: z.literal('merge'), value }).describe('RFC 7396, on the whole configuration.'),
])

/** `/batch`: several changes of the configuration in one version. */
export function batchRoutes(control: ControlPlane): AdminRoute[] {
  return [
    adminRoute({
      method: 'POST',
      path: '/batch',
      scope: 'write',
      summary: 'Several changes at once, all or nothing',
      description:
        'They are made in this order; what one refers to, another of them may make. `If-Match` is the tag of the whole configuration.',
      body: z.strictObject({ operations: z.array(operationShape).min(1).max(10_000) }),
      maxBodyBytes: maxConfigBytes,
      answer: writtenShape,
      async serve(call) {
        const edits = call.body.operations.map(editOf)
        return writtenAnswer(await control.write(edits, writeOptions(call)))
      },
    }),
  ]
}

function editOf(operation: z.output<typeof operationShape>): ConfigEdit {
  if (operation.op === 'merge' || operation.op === 'delete') return operation
  return { ...operation, value: sentValue(operation.kind, operation.value, operation.id) }
}
