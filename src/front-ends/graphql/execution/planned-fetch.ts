import type { FetchNode } from '@apollo/query-planner'
import type { Subgraph } from '../subgraphs/subgraph.ts'
import type { Ask } from './ask.ts'
import { isSuffixed } from './combinations.ts'
import { compileContext, type ReadContext } from './context-arguments.ts'
import type { DataObject } from './data-object.ts'
import { type DataPath, objectsAt, trailsAt } from './data-path.ts'
import { EntityAsk } from './entity-ask.ts'
import { type FetchOperation, fetchOperation, selectionsOf } from './fetch-operation.ts'
import { RepresentationWriter } from './representations.ts'
import { compileRewrites, type Rewrite } from './rewrites.ts'
import { RootAsk } from './root-ask.ts'
import type { Run } from './run.ts'
import { type Shape, shapeOf } from './shape.ts'
import { type TopKey, topKeys } from './top-keys.ts'
import type { TypeConditions } from './type-conditions.ts'

/** What a {@link PlannedFetch} is made from. */
export interface PlannedFetchOptions {
  readonly subgraph: Subgraph
  readonly path: DataPath
  readonly types: TypeConditions
}

interface InContext {
  readonly writer: RepresentationWriter
  readonly run: Run
  readonly shared: readonly string[]
  readonly read: ReadContext
}

/** A fetch of a plan, compiled. */
export class PlannedFetch {
  readonly subgraph: Subgraph
  readonly operation: FetchOperation
  /** Where in the data what it asks for belongs. */
  readonly path: DataPath
  readonly shape: Shape
  /** The fields that are told to have failed with it. */
  readonly topKeys: readonly TopKey[]
  readonly types: TypeConditions
  readonly rewrite: Rewrite | undefined
  /** Response keys of the fetch that are other ones in the data. */
  readonly renamed: ReadonlyMap<string, string>
  /** Fetches for which this is the same may be sent together. */
  readonly company: unknown
  /** Variables that each of its requests has values of its own for. */
  readonly ownVariables: ReadonlySet<string>
  readonly isEntityFetch: boolean
  readonly #variables: readonly string[]
  readonly #representations: RepresentationWriter | undefined
  readonly #context: ReadContext | undefined

  constructor(node: FetchNode, { subgraph, path, types }: PlannedFetchOptions) {
    const { selections, fragments, directives } = selectionsOf(node)
    this.subgraph = subgraph
    this.path = path
    this.types = types
    this.operation = fetchOperation(node.operationKind, node.operation, node.operationName)
    this.shape = shapeOf(selections, { fragments, rewrites: node.outputRewrites })
    this.topKeys = topKeys(selections, fragments)
    this.rewrite = compileRewrites(node.outputRewrites, types)
    this.renamed = renamedKeys(node)
    this.#representations =
      node.requires === undefined
        ? undefined
        : new RepresentationWriter(node.requires, {
            types,
            rewrite: compileRewrites(node.inputRewrites, types),
          })
    this.#context = compileContext(node.contextRewrites, types)
    const taken = new Set(node.contextRewrites?.map(({ renameKeyTo }) => renameKeyTo))
    this.#variables = (node.variableUsages ?? []).filter((name) => !taken.has(name))
    this.isEntityFetch = node.requires !== undefined
    this.ownVariables = new Set([...(this.isEntityFetch ? ['representations'] : []), ...taken])
    const isPlain = fragments.size === 0 && !this.#variables.some(isSuffixed)
    this.company = isPlain ? `${subgraph.name} ${directives}` : this
  }

  /** What there is to ask for; nothing when the data has no object for it. */
  asks(run: Run): Ask[] {
    const shared = this.#shared(run)
    const targets = this.path.length === 0 ? [run.data] : objectsAt(run.data, this.path)
    if (targets.length === 0) return []
    const writer = this.#representations
    if (writer === undefined) return [new RootAsk(this, run, { targets, shared })]
    if (this.#context !== undefined)
      return this.#inContext(targets, { writer, run, shared, read: this.#context })
    const ask = new EntityAsk(this, run, { shared, context: [] })
    for (const target of targets) ask.add(target, writer)
    return ask.isEmpty ? [] : [ask]
  }

  /** Entities whose surroundings say the same go together. */
  #inContext(targets: readonly DataObject[], { writer, run, shared, read }: InContext): Ask[] {
    const asks = new Map<string, EntityAsk>()
    const trails = trailsAt(run.data, this.path)
    for (const target of targets) {
      const trail = trails.get(target)
      const context = trail === undefined ? [] : read(trail)
      const key = context.join()
      const ask = asks.get(key) ?? new EntityAsk(this, run, { shared, context })
      asks.set(key, ask)
      ask.add(target, writer)
    }
    return [...asks.values()].filter((ask) => !ask.isEmpty)
  }

  #shared(run: Run): string[] {
    const members: string[] = []
    for (const name of this.#variables) {
      const text = run.variable(name)
      if (text !== undefined) members.push(`"${name}":${text}`)
    }
    return members
  }
}

function renamedKeys({ outputRewrites = [] }: FetchNode): ReadonlyMap<string, string> {
  return new Map(
    outputRewrites.flatMap((rewrite) =>
      rewrite.kind === 'KeyRenamer' ? [[rewrite.path.at(-1) ?? '', rewrite.renameKeyTo] as const] : [],
    ),
  )
}
