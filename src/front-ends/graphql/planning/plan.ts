import type { PlanNode, SubscriptionNode } from '@apollo/query-planner'

/** How one operation is to be run. Plain JSON. */
export interface Plan {
  /** What to fetch of which subgraph, and in what order. Undefined: the operation asks for nothing of a subgraph (introspection, `__typename`). */
  readonly node: PlanNode | SubscriptionNode | undefined
  /** The operation as it was planned; the answer is made by it, against the API schema. Undefined: the client's own document. */
  readonly document: string | undefined
  /** Response keys of `document` that are not what the client asked for, with the client's. */
  readonly responseKeys: Readonly<Record<string, string>>
}
