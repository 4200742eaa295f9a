import type { DocumentNode, GraphQLSchema } from 'graphql'
import type { Logger } from '../../core/log.ts'
import type { Policies } from './authorization/condition.ts'
import { readAuthorization } from './authorization/read-authorization.ts'
import { readCostWeights } from './cost/cost-weights.ts'
import { OperationGuard, type RefusalOptions } from './operation-guard.ts'
import { readFeatures } from './supergraph-features.ts'

/** What the guard is configured with. */
export interface GuardOptions {
  readonly authorization: RefusalOptions & { readonly policies: Policies }
  /** The largest cost of an operation; undefined: any. */
  readonly maxCost: number | undefined
  /** Elements of a list of which nothing says how many. */
  readonly listSize: number
}

/** The guard of what a supergraph says. Throws an Error when its directives cannot be read. */
export function createGuard(
  supergraph: DocumentNode,
  options: GuardOptions & { readonly schema: GraphQLSchema; readonly log: Logger },
): OperationGuard {
  const { schema, log, maxCost, listSize } = options
  const { policies, ...refusal } = options.authorization
  const features = readFeatures(supergraph)
  const authorization = readAuthorization(supergraph, { features, schema, policies, log })
  if (refusal.reportOnly && authorization !== undefined)
    log.warn({}, 'Fields that the supergraph protects are answered to everybody: reportOnly is set.')
  return new OperationGuard({
    ...refusal,
    authorization,
    cost: { schema, weights: readCostWeights(supergraph, features), listSize },
    maxCost,
  })
}
