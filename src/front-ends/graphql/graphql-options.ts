import type { Logger } from '../../core/log.ts'
import type { Policy } from '../../core/route.ts'
import type { ClientOperationsOptions } from './client-operations.ts'
import type { GuardOptions } from './create-guard.ts'
import type { EngineOptions } from './engine.ts'
import type { OperationLimits } from './limits.ts'
import type { GraphqlObserver } from './observer.ts'
import type { PlanningOptions } from './planning/planning-options.ts'
import type { BatchOptions } from './requests/batch.ts'
import type { PersistedQueries } from './requests/persisted-queries.ts'
import type { TrustedDocuments } from './requests/trusted-documents.ts'
import type { UploadLimits } from './requests/uploads/uploads.ts'
import type { Audience } from './requests/viewer.ts'
import type { ReachedOptions, SubgraphPlace } from './subgraphs/reached-subgraphs.ts'
import type { SubscriptionSettings } from './subscriptions/subscriptions.ts'
import type { SupergraphMemory } from './supergraph/supergraph-memory.ts'
import type { SubgraphSource } from './supergraph/supergraph-source.ts'
import type { SupergraphUrl } from './supergraph/supergraph-url.ts'
import type { WarmUpOptions } from './supergraph/warm-up.ts'

/** What the GraphQL front-end is built from. */
export interface GraphqlOptions {
  /** A literal path, `/graphql`. */
  readonly path: string
  readonly policy: Policy
  readonly subgraphs: readonly SubgraphOptions[]
  /** A supergraph that was composed elsewhere, or where to fetch one; without it the subgraphs' own schemas are composed. */
  readonly supergraph?: string | SupergraphUrl | undefined
  /** What an earlier front-end of the same gateway knew. Default: nothing. */
  readonly memory?: SupergraphMemory
  /** Default: nothing is planned before it is asked for. */
  readonly warmUp?: WarmUpOptions
  /** Whether subgraphs and addresses are asked for schemas. Default true. */
  readonly online?: boolean
  /** Who may ask for the schema. */
  readonly introspection: Audience
  /** Whose mistakes are answered with names of the schema. Default: as `introspection`. */
  readonly suggestions?: Audience | undefined
  /** Operations that clients may ask for without their text. Default: none. */
  readonly persisted?: PersistedQueries | undefined
  readonly trusted?: TrustedDocuments | undefined
  /** Default: one operation per request. */
  readonly batching?: BatchOptions | undefined
  /** Default: no files. */
  readonly uploads?: UploadLimits | undefined
  /** Whether browsers that navigate to the path get GraphiQL, without credentials. */
  readonly explorer: boolean
  readonly limits: OperationLimits & { readonly bodyBytes: number } & Pick<GuardOptions, 'listSize'> & {
      /** The largest cost of an operation; undefined: any. */
      readonly cost?: number | undefined
    }
  readonly authorization: GuardOptions['authorization']
  readonly subscriptions: SubscriptionSettings
  readonly planning?: PlanningOptions
  /** Default: fetches are shared, operations are not. */
  readonly sharing?: Pick<ReachedOptions, 'ignoredHeaders'> & Pick<EngineOptions, 'sharesOperations'>
  /** Default: nothing but what is run. */
  readonly seen?: Omit<ClientOperationsOptions, 'observer' | 'log'>
  readonly observer?: GraphqlObserver | undefined
  readonly log: Logger
}

/** One subgraph and who serves it. Needs `sdl` or `live` when no supergraph is given. */
export type SubgraphOptions = SubgraphSource & SubgraphPlace
