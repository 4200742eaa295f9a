import { parse } from 'graphql'
import { GatewayError } from '../../../core/error.ts'
import { messageOf } from '../../../core/message-of.ts'
import type { StoredOperation } from '../../../core/stored-operation.ts'
import type { Place } from '../../../core/text-template.ts'
import { KnownDocument, operationsOf } from '../documents.ts'
import type { Engine } from '../engine.ts'
import { chosenOperation, type OperationSource, prepareOperation } from '../prepared-operation.ts'
import type { Engines } from './engines.ts'

/** The operations of the configuration, which each new engine must take. */
export class StoredOperations {
  readonly #engines: Engines
  readonly #asked: { readonly source: OperationSource; readonly place: Place }[] = []

  constructor(engines: Engines) {
    this.#engines = engines
  }

  /** Checked at once against the schema that is there, else as far as it can be without one. Throws a Mistake. */
  add(source: OperationSource, place: Place): StoredOperation {
    const { current } = this.#engines
    const index = this.#asked.length
    let known: Pick<StoredOperation, 'type' | 'name'>
    if (current === undefined) known = readAlone(source)
    else {
      const prepared = prepareOperation(source, { engine: current.engine, place })
      current.operations[index] = prepared
      known = prepared
    }
    this.#asked.push({ source, place })
    return {
      type: known.type,
      name: known.name,
      run: async (x, limits) => {
        const running = this.#engines.enter()
        try {
          const operation = running.operations[index]
          if (operation === undefined || operation instanceof Error) throw doesNotFit(operation)
          return await operation.run(x, limits)
        } finally {
          running.leave()
        }
      },
    }
  }

  /** As another engine takes them, or what is wrong with them there. */
  preparedBy(engine: Engine): (StoredOperation | Error)[] {
    return this.#asked.map(({ source, place }) => {
      try {
        return prepareOperation(source, { engine, place })
      } catch (error) {
        return new Error(`a stored operation does not fit: ${messageOf(error)}`, { cause: error })
      }
    })
  }
}

function doesNotFit(cause: Error | undefined): GatewayError {
  return new GatewayError('UNAVAILABLE', 'The stored operation does not fit the GraphQL schema.', { cause })
}

/** What can be said of an operation without a schema. */
function readAlone(source: OperationSource): Pick<StoredOperation, 'type' | 'name'> {
  const { text } = source
  const read = (): KnownDocument => new KnownDocument(operationsOf(parse(text), text), [])
  const { operation, type } = chosenOperation(source, read)
  return { type, name: operation.name }
}
