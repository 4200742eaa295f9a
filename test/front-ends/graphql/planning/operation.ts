import { createHash } from 'node:crypto'
import { Kind, parse } from 'graphql'
import type { KnownOperation } from '../../../../src/front-ends/graphql/operation.ts'

/** The first operation of a document, as it is once it was read. */
export function operationOf(text: string): KnownOperation {
  const document = parse(text)
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue
    const hash = createHash('sha256').update(text).digest('hex')
    return { name: node.name?.value ?? '', type: node.operation, node, document, hash }
  }
  throw new Error('no operation')
}
