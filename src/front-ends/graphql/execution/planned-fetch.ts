import type { FetchNode } from '@apollo/query-planner'
import type { Subgraph } from '../subgraphs/subgraph.ts'
import { failed } from './absent.ts'
import type { Ask } from './ask.ts'
import { isSuffixed } from './combinations.ts'
import { compileContext, type ReadContext } from './context-arguments.ts'
import type { DataObject } from './data-object.ts'
import { type DataPath, objectsAt, trailsAt } from './data-path.ts'
import { EntityAsk } from './entity-ask.ts'
import { type FetchOperation, fetchOperation, selectionsOf } from './fetch-operation.ts'
import { markUnfetched } from './merge.ts'
import { compileRepresentation, type Representation } from './representations.ts'
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
  readonly #represent: ((entity: DataObject) => Representation) | undefined
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
    this.#represent =
      node.requires === undefined
        ? undefined
        : compileRepresentation(node.requires, {
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
    const represent = this.#represent
    if (represent === undefined) return [new RootAsk(this, run, { targets, shared })]
    const asks = this.#context === undefined ? undefined : new Map<string, EntityAsk>()
    const trails = asks === undefined ? undefined : trailsAt(run.data, this.path)
    let ask: EntityAsk | undefined
    for (const target of targets) {
      const representation = represent(target)
      if (representation === failed) markUnfetched(target, this.shape)
      if (typeof representation !== 'string') continue
      const trail = trails?.get(target)
      if (asks !== undefined && trail !== undefined) {
        const context = this.#context?.(trail) ?? []
        const key = context.join()
        ask = asks.get(key)
        if (ask === undefined) {
          ask = new EntityAsk(this, run, { shared, context })
          asks.set(key, ask)
        }
      }
      ask ??= new EntityAsk(this, run, { shared, context: [] })
      ask.add(target, representation)
    }
    if (asks !== undefined) return [...asks.values()]
    return ask === undefined ? [] : [ask]
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
