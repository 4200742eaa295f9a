import {
  type ASTVisitor,
  GraphQLError,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
} from 'graphql'

/** An operation of a kind that the schema has not: graphql-js tells of it only when it runs, and validates nothing in it before. */
function knownOperationTypes(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(node) {
      if (context.getSchema().getRootType(node.operation) != null) return
      const message = `There are no ${kinds[node.operation]} in this schema.`
      context.reportError(new GraphQLError(message, { nodes: node }))
    },
  }
}

const kinds = { query: 'queries', mutation: 'mutations', subscription: 'subscriptions' } as const

/** What a document is held to before it is planned. */
export const documentRules: readonly ValidationRule[] = [...specifiedRules, knownOperationTypes]
