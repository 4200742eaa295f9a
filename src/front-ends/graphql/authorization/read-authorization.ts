import type { DocumentNode, GraphQLSchema } from 'graphql'
import type { Logger } from '../../../core/log.ts'
import type { SupergraphFeatures } from '../supergraph-features.ts'
import { readConditions } from './applied-conditions.ts'
import type { Policies } from './condition.ts'
import { FieldAuthorization } from './field-authorization.ts'
import { fieldConditions, protectedKeys } from './field-conditions.ts'

/** What {@link readAuthorization} needs besides the supergraph. */
export interface AuthorizationSources {
  readonly features: SupergraphFeatures
  /** What clients may ask for. */
  readonly schema: GraphQLSchema
  readonly policies: Policies
  readonly log: Logger
}

/**
 * The authorization that a supergraph asks for; undefined: none. Logs what will not be as somebody may think: policies that nobody
 * decides, or nobody asks for, and keys that are protected.
 */
export function readAuthorization(
  supergraph: DocumentNode,
  { features, schema, policies, log }: AuthorizationSources,
): FieldAuthorization | undefined {
  const applied = readConditions(supergraph, features)
  const asked = new Set(
    applied.conditions.flatMap((one) => (one.kind === 'policies' ? one.anyOf.flat() : [])),
  )
  const undecided = [...asked].filter((name) => !policies.has(name))
  if (undecided.length > 0) {
    log.warn(
      { policies: undecided },
      'The supergraph asks for policies that graphql.authorization.policies does not have: they refuse everybody.',
    )
  }
  const unused = [...policies.keys()].filter((name) => !asked.has(name))
  if (unused.length > 0) {
    log.warn(
      { policies: unused },
      'No field of the supergraph asks for these policies of graphql.authorization.',
    )
  }
  if (applied.conditions.length === 0) return undefined
  const fields = fieldConditions(applied)
  const keys = protectedKeys(applied)
  if (keys.length > 0) {
    log.warn(
      { fields: keys },
      'These fields are protected, and are keys by which subgraphs are joined: clients see them only when they may, but the subgraphs tell them each other for every caller.',
    )
  }
  return new FieldAuthorization({ schema, conditions: applied.conditions, fields, policies })
}
