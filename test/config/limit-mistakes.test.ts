import { type MistakeCase, testMistakes } from './points-at.ts'

const cases: readonly MistakeCase[] = [
  {
    name: 'a Redis that is nowhere',
    yaml: 'stores:\n  ‸redis: {keyPrefix: "a:"}\n',
    says: ['stores.redis: needs url, cluster or sentinel: where Redis is'],
  },
  {
    name: 'a Redis in two places',
    yaml: 'stores:\n  redis: {url: "redis://a", ‸cluster: ["b:6379"]}\n',
    says: ['stores.redis.cluster: stands beside url: Redis is in one place'],
  },
  {
    name: 'nodes without a port, and a prefix that would move keys to another slot',
    yaml: 'stores:\n  redis: {cluster: [‸redis-1], ‸keyPrefix: "{x}"}\n',
    says: [
      'stores.redis.cluster[0]: expected host:port',
      'stores.redis.keyPrefix: may have letters, digits, ":", ".", "_" and "-", at most 64',
    ],
  },
  {
    name: 'a password twice, and TLS to a URL without',
    yaml: 'stores:\n  redis: {‸url: "redis://a:b@c", password: d, ‸tls: {}}\n',
    says: [
      'stores.redis.url: has a user or password, and so has this; leave one out',
      'stores.redis.tls: is for rediss:// URLs',
    ],
  },
  {
    name: 'authorities of Redis that are none',
    yaml: 'stores:\n  redis: {url: "rediss://127.0.0.1:1", tls: {‸ca: nonsense}}\n',
    says: ['stores.redis.tls.ca: holds no certificate in PEM'],
  },
  {
    name: 'a window that is none',
    yaml: 'plugins:\n  - rateLimit: {limit: 1, ‸window: week}\n',
    says: ['plugins[0].rateLimit.window: expected a duration (250ms, 5s, 1m, 24h, 7d), day or month'],
  },
  {
    name: 'the algorithm of a quota',
    yaml: 'plugins:\n  - rateLimit: {limit: 1, window: month, ‸algorithm: slidingLog}\n',
    says: [
      'plugins[0].rateLimit.algorithm: is not for a quota by the calendar, which counts from month to month',
    ],
  },
  {
    name: 'a queue that nobody would wait in',
    yaml: 'plugins:\n  - rateLimit: {limit: 1, window: 1s, algorithm: leakyBucket, ‸queue: 61}\n',
    says: ['plugins[0].rateLimit.queue: is so long that its last would wait more than a minute for its turn'],
  },
  {
    name: 'a limit that is none, which says nothing of what requests cost',
    yaml: 'plugins:\n  - rateLimit: {‸limit: -5, window: 1s}\n',
    says: ['plugins[0].rateLimit.limit: Too small: expected number to be >=1'],
  },
  {
    name: 'a cost that is none, and one by nothing',
    yaml: 'plugins:\n  - rateLimit: {limit: 1, window: 1s, ‸cost: high, ‸by: 7}\n',
    says: [
      'plugins[0].rateLimit.cost: expected a whole number, numbers by gRPC method or route id, or operation',
      'plugins[0].rateLimit.by: expected consumer, user, key, ip, route, operation, header:<name> or claim:<name>, or a list of 2 to 4',
    ],
  },
  {
    name: 'the cost of operations at a route',
    yaml: 'upstreams:\n  a: {targets: [{url: http://127.0.0.1:1}]}\nroutes:\n  - {id: r, path: /a, upstream: a, auth: none, plugins: [‸{rateLimit: {limit: 9, window: 1s, cost: operation}}]}\n',
    says: ['routes[0].plugins[0]: `cost: operation` is what operations of GraphQL cost; here, give numbers'],
  },
]

testMistakes(cases, {})
