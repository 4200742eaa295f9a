/** When an alert fires, what it says then, and when it does not. Series are in promtool's notation, a value a minute. */
export interface AlertCase {
  readonly alert: string
  readonly fires: {
    readonly series: Readonly<Record<string, string>>
    readonly at: string
    /** Without `alertname` and `severity`. */
    readonly labels: Readonly<Record<string, string>>
    readonly description: string
  }
  /** What comes near it, by why it is quiet. */
  readonly quiet: Readonly<
    Record<string, { readonly series: Readonly<Record<string, string>>; readonly at: string }>
  >
}

const one = { job: 'gateway', instance: 'a:8080' }
const of = 'job="gateway",instance="a:8080"'
const requests = (status: number, values: string, route = 'users', protocol = 'rest') => ({
  [`gateway_requests_total{${of},protocol="${protocol}",route="${route}",method="GET",status="${status}"}`]:
    values,
})
const slowBuckets = (slow: string, route = 'users') => {
  const bucket = (le: string) =>
    `gateway_request_duration_seconds_bucket{${of},protocol="rest",route="${route}",method="GET",le="${le}"}`
  return {
    [bucket('1')]: '0+0x60',
    [bucket('2.5')]: slow,
    [bucket('+Inf')]: slow,
    ...requests(200, '0+60x60', route),
  }
}
const fastBuckets = {
  [`gateway_request_duration_seconds_bucket{${of},protocol="rest",route="users",method="GET",le="1"}`]:
    '0+60x60',
  [`gateway_request_duration_seconds_bucket{${of},protocol="rest",route="users",method="GET",le="+Inf"}`]:
    '0+60x60',
  ...requests(200, '0+60x60'),
}
const is = (name: string, values: string, labels = '') => ({ [`${name}{${of}${labels}}`]: values })
const day = 1_440

/** An alert on a gauge: `bad` for longer than it waits, `good`, and bad for too short. */
function gauge(
  alert: string,
  series: string,
  {
    bad = '0x30',
    good = '1x30',
    short = '1x9 0 1x9',
    labels = {},
    description,
  }: {
    bad?: string
    good?: string
    short?: string
    labels?: Readonly<Record<string, string>>
    description: string
  },
): AlertCase {
  const text = Object.entries(labels)
    .map(([name, value]) => `,${name}="${value}"`)
    .join('')
  const with_ = (values: string) => ({ [`${series}{${of}${text}}`]: values })
  return {
    alert,
    fires: { series: with_(bad), at: '20m', labels: { ...one, ...noEmpty(labels) }, description },
    quiet: {
      'all is well': { series: with_(good), at: '20m' },
      'it was for a moment': { series: with_(short), at: '10m' },
    },
  }
}

/** A label without a value is none. */
function noEmpty(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''))
}

export const alertCases: readonly AlertCase[] = [
  gauge('GatewayDown', 'up', { description: 'a:8080 has not answered /metrics for a minute.' }),
  {
    alert: 'GatewayAbsent',
    fires: {
      series: { 'up{job="prometheus"}': '1x30' },
      at: '6m',
      labels: { job: 'gateway' },
      description:
        'For five minutes there has been no target of the job "gateway", not even one that is down.',
    },
    quiet: { 'there is one, although it is down': { series: is('up', '0x30'), at: '10m' } },
  },
  gauge('GatewayNotReady', 'gateway_ready', {
    description: '/readyz of a:8080 has said 503 for two minutes; load balancers send it nothing.',
  }),
  {
    alert: 'GatewayRestarting',
    fires: {
      series: is('process_start_time_seconds', '100 100 200 200 300 300 400x5'),
      at: '8m',
      labels: one,
      description: 'a:8080 has started 3 times within 15 minutes.',
    },
    quiet: {
      'a new version was rolled out': { series: is('process_start_time_seconds', '100x5 200x5'), at: '8m' },
    },
  },
  {
    alert: 'GatewayErrorRateHigh',
    fires: {
      series: { ...requests(200, '0+90x30'), ...requests(503, '0+10x30') },
      at: '10m',
      labels: { job: 'gateway' },
      description:
        '10% of the requests of the last five minutes failed (5xx, or a gRPC code that says the same).',
    },
    quiet: {
      'three in a hundred failed': {
        series: { ...requests(200, '0+97x30'), ...requests(503, '0+3x30') },
        at: '10m',
      },
      'clients asked for what is not there': {
        series: { ...requests(200, '0+10x30'), ...requests(404, '0+90x30'), ...requests(429, '0+90x30') },
        at: '10m',
      },
      'five requests in five minutes say nothing': { series: requests(503, '0+1x30'), at: '10m' },
    },
  },
  {
    alert: 'GatewayErrorRateHigh',
    fires: {
      series: {
        ...requests(200, '0+100x30', 'shop.v1.Books/Get', 'grpc'),
        [`gateway_grpc_calls_total{${of},method="shop.v1.Books/Get",code="ok"}`]: '0+80x30',
        [`gateway_grpc_calls_total{${of},method="shop.v1.Books/Get",code="unavailable"}`]: '0+20x30',
      },
      at: '10m',
      labels: { job: 'gateway' },
      description:
        '20% of the requests of the last five minutes failed (5xx, or a gRPC code that says the same).',
    },
    quiet: {
      'gRPC clients asked for what is not there': {
        series: {
          ...requests(200, '0+100x30', 'shop.v1.Books/Get', 'grpc'),
          [`gateway_grpc_calls_total{${of},method="shop.v1.Books/Get",code="not_found"}`]: '0+100x30',
        },
        at: '10m',
      },
    },
  },
  {
    alert: 'GatewayRouteErrorRateHigh',
    fires: {
      series: {
        ...requests(200, '0+900x30', 'orders'),
        ...requests(200, '0+50x30'),
        ...requests(502, '0+10x30'),
        ...requests(504, '0+10x30'),
      },
      at: '20m',
      labels: { job: 'gateway', protocol: 'rest', route: 'users' },
      description: '28.57% of the requests of users (rest) failed.',
    },
    quiet: {
      'it has been so for five minutes only': {
        series: { ...requests(200, '0+50x30'), ...requests(502, '0x6 0+20x30') },
        at: '12m',
      },
    },
  },
  {
    alert: 'GatewayGraphqlErrorRateHigh',
    fires: {
      series: {
        ...is('gateway_graphql_operations_total', '0+90x30', ',operation="A",type="query",outcome="ok"'),
        ...is('gateway_graphql_operations_total', '0+10x30', ',operation="A",type="query",outcome="error"'),
      },
      at: '20m',
      labels: { job: 'gateway' },
      description: '10% of the operations had errors, most of them beside data and with HTTP 200.',
    },
    quiet: {
      'no operation had errors': {
        series: is('gateway_graphql_operations_total', '0+90x30', ',operation="A",type="query",outcome="ok"'),
        at: '20m',
      },
      'an operation a minute says nothing': {
        series: is(
          'gateway_graphql_operations_total',
          '0+1x30',
          ',operation="A",type="query",outcome="error"',
        ),
        at: '20m',
      },
    },
  },
  {
    alert: 'GatewayLatencyHigh',
    fires: {
      series: slowBuckets('0+60x60'),
      at: '20m',
      labels: { job: 'gateway' },
      description: 'The p95 of all requests, streams aside, is 2.425s.',
    },
    quiet: { 'requests are fast': { series: fastBuckets, at: '20m' } },
  },
  {
    alert: 'GatewayRouteLatencyHigh',
    fires: {
      series: slowBuckets('0+60x60', 'reports'),
      at: '30m',
      labels: { job: 'gateway', protocol: 'rest', route: 'reports' },
      description: 'The p95 of reports (rest) is 2.425s.',
    },
    quiet: {
      'requests are fast': { series: fastBuckets, at: '30m' },
      'it has been so for ten minutes only': { series: slowBuckets('0+60x60'), at: '11m' },
    },
  },
  {
    alert: 'GatewayRateLimitStoreFailing',
    fires: {
      series: is('gateway_ratelimit_store_errors_total', '0+4x30'),
      at: '10m',
      labels: one,
      description:
        'a:8080 counted 20 failures in five minutes; onStoreError of each limit decides what happens meanwhile.',
    },
    quiet: {
      'it failed yesterday': { series: is('gateway_ratelimit_store_errors_total', '7x30'), at: '10m' },
    },
  },
  gauge('GatewayNoHealthyTarget', 'gateway_upstream_targets_healthy', {
    labels: { upstream: 'users' },
    description: 'a:8080 sees no target of users that takes traffic.',
  }),
  gauge('GatewayTargetDown', 'gateway_upstream_healthy', {
    labels: { upstream: 'users', target: 'http://b:1' },
    description: 'a:8080 has left http://b:1 of users out for two minutes.',
  }),
  gauge('GatewayCircuitOpen', 'gateway_circuit_breaker_state', {
    bad: '2 1 2 2 1 2x30',
    good: '0x30',
    short: '0x9 2 0x9',
    labels: { upstream: 'users', target: '' },
    description: 'Calls of a:8080 to users have been refused for a minute: too many failed.',
  }),
  gauge('GatewayCircuitOpen', 'gateway_circuit_breaker_state', {
    bad: '2x30',
    good: '0x30',
    short: '0x9 2 0x9',
    labels: { upstream: 'users', target: 'http://b:1' },
    description: 'Calls of a:8080 to users at http://b:1 have been refused for a minute: too many failed.',
  }),
  gauge('GatewayRetryBudgetExhausted', 'gateway_retry_budget_exhausted_total', {
    bad: '0+30x30',
    good: '7x30',
    short: '0x9 1x9',
    labels: { upstream: 'users' },
    description: '0.50 retries a second to users were not allowed by its budget.',
  }),
  {
    alert: 'GatewayQueueRejecting',
    fires: {
      series: {
        ...is('gateway_upstream_rejected_total', '0+30x30', ',upstream="users",reason="queue_full"'),
        ...is('gateway_upstream_rejected_total', '0+90x30', ',upstream="users",reason="queue_timeout"'),
      },
      at: '10m',
      labels: { ...one, upstream: 'users' },
      description: '2.00 calls a second to users found its queue full, or waited in it for too long.',
    },
    quiet: {
      'nothing was turned away of late': {
        series: is('gateway_upstream_rejected_total', '9x30', ',upstream="users",reason="queue_full"'),
        at: '10m',
      },
    },
  },
  gauge('GatewayDiscoveryFailing', 'gateway_discovery_up', {
    labels: { upstream: 'users' },
    description:
      'a:8080 has had trouble with the discovery of users for five minutes; the last known targets serve on.',
  }),
  {
    alert: 'GatewayCanaryRolledBack',
    fires: {
      series: is('gateway_canary_phase', '0x5 1x30', ',route="users",phase="rolledBack"'),
      at: '7m',
      labels: { ...one, route: 'users', phase: 'rolledBack' },
      description:
        'a:8080 sends everybody of users to the stable version: the new one broke a limit of its analysis.',
    },
    quiet: {
      'it was taken back by hand': {
        series: {
          ...is('gateway_canary_phase', '0x30', ',route="users",phase="rolledBack"'),
          ...is('gateway_canary_phase', '1x30', ',route="users",phase="aborted"'),
        },
        at: '7m',
      },
    },
  },
  gauge('GatewayConfigRejected', 'gateway_config_last_reload_successful', {
    description:
      'a:8080 runs on with the configuration that it had: the last one has a mistake, which its log and /readyz?verbose show.',
  }),
  {
    alert: 'GatewayConfigBehind',
    fires: {
      series: { ...is('gateway_config_version', '7x30'), ...is('gateway_config_wanted_version', '7x3 8x30') },
      at: '10m',
      labels: one,
      description: 'a:8080 should run version 8 of the configuration, and does not.',
    },
    quiet: {
      'it runs the newest': {
        series: { ...is('gateway_config_version', '8x30'), ...is('gateway_config_wanted_version', '8x30') },
        at: '10m',
      },
      'it came a moment later': {
        series: {
          ...is('gateway_config_version', '7x9 8x9'),
          ...is('gateway_config_wanted_version', '7x8 8x9'),
        },
        at: '11m',
      },
    },
  },
  gauge('GatewaySupergraphNotCurrent', 'gateway_graphql_supergraph_up', {
    description: 'a:8080 has no supergraph yet, refused the newest one, or cannot ask a source of it.',
  }),
  {
    alert: 'GatewayCertificateExpiring',
    fires: {
      series: is(
        'gateway_tls_certificate_expiry_timestamp_seconds',
        `${10 * 86_400}x${day}`,
        ',certificate="shop"',
      ),
      at: '0m',
      labels: { ...one, certificate: 'shop' },
      description: 'The certificate shop of a:8080 ends in 10d 0h 0m 0s.',
    },
    quiet: {
      'it holds for a month': {
        series: is(
          'gateway_tls_certificate_expiry_timestamp_seconds',
          `${30 * 86_400}x9`,
          ',certificate="shop"',
        ),
        at: '5m',
      },
      'the other alert has it': {
        series: is(
          'gateway_tls_certificate_expiry_timestamp_seconds',
          `${2 * 86_400}x9`,
          ',certificate="shop"',
        ),
        at: '5m',
      },
    },
  },
  {
    alert: 'GatewayCertificateExpiresSoon',
    fires: {
      series: is('gateway_tls_certificate_expiry_timestamp_seconds', '60x9', ',certificate="shop"'),
      at: '5m',
      labels: { ...one, certificate: 'shop' },
      description: 'The certificate shop of a:8080 has ended.',
    },
    quiet: {
      'it holds for ten days': {
        series: is(
          'gateway_tls_certificate_expiry_timestamp_seconds',
          `${10 * 86_400}x9`,
          ',certificate="shop"',
        ),
        at: '5m',
      },
    },
  },
  gauge('GatewayRedisDown', 'gateway_redis_up', {
    description:
      'a:8080 has been without Redis for a minute: limits are counted by each gateway for itself, and keys and revocations do not travel.',
  }),
  gauge('GatewayDatabaseDown', 'gateway_database_up', {
    description:
      'a:8080 has been without its database for a minute: it serves on, but nothing can be changed, and logs wait.',
  }),
  {
    alert: 'GatewayRequestLogDropping',
    fires: {
      series: is('gateway_request_log_dropped_total', '0+10x30', ',reason="full"'),
      at: '10m',
      labels: one,
      description: 'a:8080 dropped 50 entries of the request log in five minutes.',
    },
    quiet: {
      'nothing is dropped': {
        series: is('gateway_request_log_dropped_total', '0x30', ',reason="full"'),
        at: '10m',
      },
    },
  },
  {
    alert: 'GatewayAuditDropping',
    fires: {
      series: is('gateway_audit_dropped_total', '0x20 3x30'),
      at: '21m',
      labels: one,
      description: 'a:8080 could not store 3 entries of the audit log in 15 minutes; its own log has them.',
    },
    quiet: { 'all are stored': { series: is('gateway_audit_dropped_total', '0x30'), at: '21m' } },
  },
  gauge('GatewayRevocationsStale', 'gateway_revocation_sync_age_seconds', {
    bad: '0+60x30',
    good: '1x30',
    short: '1x9 130 1x9',
    description: 'a:8080 last knew all revocations 20m 0s ago.',
  }),
  gauge('GatewayIdentityProviderDown', 'gateway_identity_provider_up', {
    labels: { provider: 'keys https://id.example' },
    description: 'a:8080 cannot ask keys https://id.example: tokens that are not in memory are refused.',
  }),
  {
    alert: 'GatewayOverloaded',
    fires: {
      series: is('gateway_shed_total', '0+120x30', ',reason="event_loop"'),
      at: '10m',
      labels: { ...one, reason: 'event_loop' },
      description: 'a:8080 refuses 2.00 requests a second (event_loop).',
    },
    quiet: {
      'one burst is over': {
        series: is('gateway_shed_total', '0x5 90x30', ',reason="event_loop"'),
        at: '9m',
      },
    },
  },
  gauge('GatewayEventLoopLate', 'nodejs_eventloop_lag_p99_seconds', {
    bad: '0.25x30',
    good: '0.011x30',
    short: '0.01x9 0.5 0.01x9',
    description: 'What comes to a:8080 waits for 250ms (p99) before it is its turn.',
  }),
  {
    alert: 'GatewayHeapNearlyFull',
    fires: {
      series: {
        ...is('nodejs_heap_size_used_bytes', '90x30'),
        ...is('nodejs_heap_size_limit_bytes', '100x30'),
      },
      at: '15m',
      labels: one,
      description: 'a:8080 uses 90% of its heap; requests are refused at server.overload.heapPercent.',
    },
    quiet: {
      'half of it is free': {
        series: {
          ...is('nodejs_heap_size_used_bytes', '50x30'),
          ...is('nodejs_heap_size_limit_bytes', '100x30'),
        },
        at: '15m',
      },
    },
  },
  {
    alert: 'GatewayFileDescriptorsLow',
    fires: {
      series: { ...is('process_open_fds', '90x30'), ...is('process_max_fds', '100x30') },
      at: '10m',
      labels: one,
      description: 'a:8080 uses 90% of its file descriptors; without one no connection is taken.',
    },
    quiet: {
      'most of them are free': {
        series: { ...is('process_open_fds', '30x30'), ...is('process_max_fds', '100x30') },
        at: '10m',
      },
    },
  },
]
