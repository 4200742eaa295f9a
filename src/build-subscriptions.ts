import type { Config, GraphqlConfig, SubgraphConfig } from './config/schema.ts'
import { credentialHeaders } from './credential-headers.ts'
import type { SubscriptionEndpoint } from './front-ends/graphql/subscriptions/subgraph/graphql-subscription.ts'
import type { SubscriptionSettings } from './front-ends/graphql/subscriptions/subscriptions.ts'

/** How the configuration has subscriptions served. */
export function subscriptionSettings(
  { max, perCaller, chargeEvents, reconnects, heartbeat, webSocket }: SubscriptionsConfig,
  config: Config,
): SubscriptionSettings {
  return {
    max,
    perCaller,
    chargeEvents,
    reconnects,
    heartbeatMs: heartbeat,
    webSocket: webSocket.enabled
      ? {
          connectionParams: webSocket.connectionParams ? credentialHeaders(config) : undefined,
          initTimeoutMs: webSocket.initTimeout,
          pingMs: webSocket.ping,
          messageBytes: webSocket.messageBytes,
          messagesPerSecond: webSocket.messagesPerSecond,
          operations: webSocket.operations,
        }
      : undefined,
  }
}

/** Where a subgraph takes subscriptions; undefined: where the front-end takes it to. */
export function subscriptionEndpoint({
  subscription,
  path,
}: SubgraphConfig): SubscriptionEndpoint | undefined {
  return subscription && { protocol: subscription.protocol, path: subscription.path ?? path }
}

type SubscriptionsConfig = GraphqlConfig['subscriptions']
