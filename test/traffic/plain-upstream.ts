import { pino } from 'pino'
import { Destination } from '../../src/traffic/destination.ts'
import type { RetryOptions } from '../../src/traffic/retry.ts'
import { Upstream, type UpstreamOptions } from '../../src/traffic/upstream.ts'

/** So many tries, with next to no pause and no budget to speak of; never for an answer. */
export function plainRetry(attempts: number): RetryOptions {
  return {
    attempts,
    statuses: [],
    backoff: { baseMs: 1, maxMs: 1 },
    budget: { percent: 100, minPerSecond: 100 },
    perTryMs: 0,
    maxRetryAfterMs: 0,
    hedgeAfterMs: 0,
    idempotencyKey: false,
    nonIdempotent: false,
    maxBodyBytes: 0,
  }
}

/** Calls that go to one upstream. */
export function plainDestination(upstream: Upstream): Destination {
  return new Destination(`test ${upstream.name}`, upstream)
}

/** An upstream with the defaults of the configuration as far as tests of front-ends need them; nothing is ejected. */
export function plainUpstream(
  name: string,
  urls: readonly string[],
  more: Partial<UpstreamOptions> = {},
): Upstream {
  return new Upstream(name, {
    targets: urls.map((url) => ({ url, weight: 100, priority: 0 })),
    connections: { connectTimeoutMs: 1_000, idleTimeoutMs: 4_000, maxConnections: 64 },
    balancing: {
      policy: 'roundRobin',
      hashOn: ['ip'],
      slowStartMs: 0,
      panicThresholdPercent: 0,
      sticky: undefined,
    },
    ejection: { consecutiveErrors: 0, ejectForMs: 1_000, maxEjectForMs: 1_000, maxEjectedPercent: 50 },
    requestTimeoutMs: 5_000,
    totalTimeoutMs: 0,
    timeHeader: undefined,
    bodyIdleTimeoutMs: 5_000,
    retry: plainRetry(2),
    circuit: undefined,
    log: pino({ enabled: false }),
    ...more,
  })
}
