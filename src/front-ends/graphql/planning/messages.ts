/** How a supergraph is planned for. */
export interface PlannerBounds {
  /** Plans of one operation that are compared; the planner takes fewer choices into account above it. */
  readonly maxEvaluatedPlans: number
  /** Ways to reach one field above which an operation is refused; undefined: any number. */
  readonly pathsLimit?: number | undefined
}

/** A supergraph as planning processes are sent it. */
export interface PlannedSupergraph {
  /** Of its SDL and bounds. */
  readonly hash: string
  readonly sdl: string
  readonly bounds: PlannerBounds
}

/** One variant of an operation. */
export interface PlanRequest {
  /** Text. */
  readonly document: string
  readonly operationName: string
  /** Value of each variable that decides what is selected. */
  readonly conditions: Readonly<Record<string, boolean>>
  /** Labels of progressive `@override` that are on. */
  readonly overrides: readonly string[]
}

/** What the process made of it. */
export interface PlanAnswer {
  /** A Plan as JSON text. */
  readonly plan: string
  /** How many plans were compared. */
  readonly evaluatedPlans: number
}

/** What is known once a supergraph is loaded. */
export interface LoadAnswer {
  /** SDL of what clients may ask for. */
  readonly apiSdl: string
  readonly overrides: readonly OverrideLabel[]
}

/** A label of progressive `@override` (Federation 2.7): plans differ by whether it is on. */
export interface OverrideLabel {
  readonly label: string
  /** Names of the fields that it moves. */
  readonly fields: ReadonlySet<string>
  /** Whether the planner may select one of them for itself, for a key or a `@requires`. */
  readonly always: boolean
}

/** The SDL of one subgraph, to be composed. */
export interface SubgraphSdl {
  readonly name: string
  readonly sdl: string
  /** The file that it was read from, for messages. */
  readonly file?: string
}

/** A remark of the composition, no mistake. */
export interface CompositionHint {
  /** As in Apollo's list of hints, `INCONSISTENT_DESCRIPTION`. */
  readonly code: string
  readonly message: string
}

/** What subgraphs compose to. */
export interface Composition {
  readonly supergraphSdl: string
  readonly hints: readonly CompositionHint[]
}

/** What a planning process is asked; it answers in order, all but `forget`. */
export type ProcessRequest =
  | { readonly kind: 'load'; readonly supergraph: PlannedSupergraph }
  | { readonly kind: 'forget'; readonly hash: string }
  | { readonly kind: 'plan'; readonly hash: string; readonly request: PlanRequest }
  | { readonly kind: 'compose'; readonly subgraphs: readonly SubgraphSdl[] }

/** Its answer; `message` without a stack. `limit`: a bound of the planner itself was reached. */
export type ProcessAnswer =
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly message: string; readonly limit: boolean }
