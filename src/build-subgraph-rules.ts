import type { Build } from './build.ts'
import type { GraphqlConfig, SubgraphConfig } from './config/schema.ts'
import { messageOf } from './core/message-of.ts'
import { Mistake } from './core/mistake.ts'
import { credentialCookies } from './credential-headers.ts'
import type { SubgraphRules } from './front-ends/graphql/subgraphs/reached-subgraphs.ts'
import { compileRequestHeaders, type HeadersFor } from './front-ends/graphql/subgraphs/request-headers.ts'
import type { ErrorPolicy } from './front-ends/graphql/subgraphs/subgraph-errors.ts'

/** How a subgraph is talked with. */
export function subgraphRules(build: Build, name: string): SubgraphRules {
  const { graphql } = build.config
  const own = graphql?.subgraphs[name]
  if (graphql === undefined || own === undefined) return {}
  return {
    headersFor: requestHeaders(build, name),
    errors: errorPolicy(graphql, own),
    shared: own.shareFetches ?? graphql.sharing.fetches,
    reply: {
      forward: { ...graphql.headers.response.forward, ...own.headers.response.forward },
      cacheControl: graphql.headers.response.cacheControl,
      extensions: own.forwardExtensions ?? graphql.forwardExtensions,
    },
  }
}

/** What a subgraph is sent of the client's headers: by the rules for all, then by its own. */
export function requestHeaders(build: Build, name: string): HeadersFor {
  const { graphql } = build.config
  const own = graphql?.subgraphs[name]?.headers.request
  const rules = [graphql?.headers.request, own].filter((one) => one !== undefined)
  const places = [['graphql'], ['graphql', 'subgraphs', name]]
  try {
    return compileRequestHeaders({
      rules,
      place: build.textPlace('graphql', undefined),
      credentialCookies: credentialCookies(build.config),
    })
  } catch (error) {
    const [index = 0, ...path] = error instanceof Mistake ? error.path : []
    throw build.errorIn([...(places[Number(index)] ?? []), 'headers', 'request', ...path], messageOf(error))
  }
}

/** What clients see of a subgraph's errors. */
export function errorPolicy({ errors }: GraphqlConfig, { errors: own }: SubgraphConfig): ErrorPolicy {
  const keepExtensions =
    own.keepExtensions ?? (own.hideExtensions === undefined ? errors.keepExtensions : undefined)
  const hideExtensions = own.keepExtensions === undefined ? (own.hideExtensions ?? errors.hideExtensions) : []
  return {
    messages: own.messages ?? errors.messages,
    maskedMessage: own.maskedMessage ?? errors.maskedMessage,
    keepExtensions,
    hideExtensions,
    showSubgraph: own.showSubgraph ?? errors.showSubgraph,
    showStatus: own.showStatus ?? errors.showStatus,
  }
}
