import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import { createGateway } from '../../src/gateway.ts'
import { makeAuthority } from '../certificates.ts'
import { type MistakeCase, testMistakes } from './points-at.ts'

const upstreams = 'upstreams:\n  a: {targets: [{url: http://127.0.0.1:1}]}\n'
const two =
  'upstreams:\n  users: {targets: [{url: http://127.0.0.1:1}]}\n  users-v2: {targets: [{url: http://127.0.0.1:2}]}\n'
const rest = `${upstreams}routes:\n  - {id: r, path: /a, upstream: a, auth: none}\n`
const authority = makeAuthority()
const shop = authority.issue(['shop.example'])
const files = {
  'one.proto': `syntax = "proto3";
package one;
import "google/api/annotations.proto";
message Empty {}
service One {
  rpc Get(Empty) returns (Empty) { option (google.api.http) = {get: "/v1/x"}; }
}
`,
  'a.graphql': 'type Query { a: String }\n',
  'broken.graphql': 'type Query {',
  'jwks.json': '{"keys": []}',
  'shop.pem': shop.cert,
  'shop.key': shop.key,
  'other.key': authority.issue(['other.example']).key,
}
const grpc = 'grpc:\n  protos: [one.proto]\n  includeDirs: []\n  services:\n    one.One: '

const cases: readonly MistakeCase[] = [
  // conventions.md: "an unknown key is an error that names its path, line and the nearest known key".
  // docs/traffic.md, circuit breaker and fallback.
  {
    name: 'a circuit that never opens',
    yaml: 'upstreams:\n  a: {targets: [{url: http://127.0.0.1:1}], circuitBreaker: {‸failureRatio: 0, consecutiveFailures: 0}}\n',
    says: [
      'upstreams.a.circuitBreaker.failureRatio: without it, and without consecutiveFailures, the circuit never opens',
    ],
  },
  {
    name: 'times of a circuit that are none',
    yaml: 'upstreams:\n  a: {targets: [{url: http://127.0.0.1:1}], circuitBreaker: {‸window: 0s, ‸openFor: 99ms}}\n',
    says: [
      'upstreams.a.circuitBreaker.window: must be 100ms at least',
      'upstreams.a.circuitBreaker.openFor: must be 100ms at least',
    ],
  },
  // docs/graphql-headers.md: "callers who are told apart to subgraphs never share".
  ...['authorization', 'Cookie', 'X-API-Key', 'x-user-id', 'x-consumer'].map((name) => ({
    name: `fetches shared between callers that ${name} tells apart`,
    yaml: `${upstreams}graphql: {auth: none, subgraphs: {a: {upstream: a, schema: a.graphql}}, sharing: {ignoreHeaders: [x-forwarded-for, ‸${name}]}}\n`,
    says: [
      `graphql.sharing.ignoreHeaders[1]: "${name.toLowerCase()}" says who asks: one caller would get the answer of another`,
    ],
  })),
  {
    name: 'planning that could never end well',
    yaml: `${upstreams}graphql: {auth: none, subgraphs: {a: {upstream: a, schema: a.graphql}}, planning: {‸timeout: 0s, overrides: [‸percent(5)]}}\n`,
    says: [
      'graphql.planning.timeout: must be at least 1ms',
      'graphql.planning.overrides[0]: is decided for each request, by chance',
    ],
  },
  {
    name: 'persisted queries that Redis forgets at once',
    yaml: `${upstreams}graphql: {auth: none, subgraphs: {a: {upstream: a, schema: a.graphql}}, persistedQueries: {‸ttl: 0s}}\n`,
    says: ['graphql.persistedQueries.ttl: must be at least 1s'],
  },
  {
    name: 'a name that cannot be a label',
    yaml: `${upstreams}graphql:\n  auth: none\n  subgraphs:\n    ‸a b: {upstream: a, schema: a.graphql}\n`,
    says: ['graphql.subgraphs.a b: a subgraph is named by letters, digits, ".", "_" and "-"'],
  },
  // docs/graphql.md: where the supergraph comes from is said once.
  {
    name: 'a subgraph whose schema nobody knows',
    yaml: `${upstreams}graphql:\n  auth: none\n  subgraphs: {‸x: {upstream: a}}\n`,
    says: ['graphql.subgraphs.x: needs a schema or live (or graphql.supergraph or graphql.supergraphUrl)'],
  },
  {
    name: 'a subgraph whose schema two know',
    yaml: `${upstreams}graphql:\n  auth: none\n  subgraphs: {x: {upstream: a, schema: a.graphql, ‸live: {}}}\n`,
    says: ['graphql.subgraphs.x.live: excludes schema: one of them says what the schema is'],
  },
  {
    name: 'a subgraph that is asked in vain',
    yaml: `${upstreams}graphql:\n  auth: none\n  supergraph: a.graphql\n  subgraphs: {x: {upstream: a, ‸live: {}}}\n`,
    says: ['graphql.subgraphs.x.live: is not asked for: graphql.supergraph says what the schema is'],
  },
  {
    name: 'two supergraphs',
    yaml: `${upstreams}graphql:\n  auth: none\n  supergraph: a.graphql\n  ‸supergraphUrl: {url: "https://a"}\n  subgraphs: {x: {upstream: a}}\n`,
    says: ['graphql.supergraphUrl: excludes supergraph: one of them says what the supergraph is'],
  },
  {
    name: 'an address where a file is meant',
    yaml: `${upstreams}graphql:\n  auth: none\n  ‸supergraph: https://a\n  subgraphs: {x: {upstream: a}}\n`,
    says: ['graphql.supergraph: is a file; for an address write supergraphUrl: {url: ...}'],
  },
  {
    name: 'addresses of a supergraph that are none, or hold secrets',
    yaml: `${upstreams}graphql:\n  auth: none\n  supergraphUrl: {‸url: "ftp://a/"}\n  subgraphs: {x: {upstream: a}}\n`,
    says: ['graphql.supergraphUrl.url: expected an address that begins with http:// or https://'],
  },
  {
    name: 'an address of a supergraph with a password',
    yaml: `${upstreams}graphql:\n  auth: none\n  supergraphUrl: {‸url: "https://ada:secret@a/"}\n  subgraphs: {x: {upstream: a}}\n`,
    says: [
      'graphql.supergraphUrl.url: must not hold a user, a password or a fragment; a secret is for token or headers',
    ],
  },
  {
    name: 'questions for schemas that come too often, with headers that are not for them',
    yaml: `${upstreams}graphql:\n  auth: none\n  subgraphs: {x: {upstream: a, live: {‸interval: 99ms, headers: {‸Content-Type: a}}}}\n`,
    says: [
      'graphql.subgraphs.x.live.interval: expected at least 100ms',
      'graphql.subgraphs.x.live.headers.Content-Type: this header is set by the gateway',
    ],
  },
  {
    name: 'a token for schemas that stands twice',
    yaml: `${upstreams}graphql:\n  auth: none\n  subgraphs: {x: {upstream: a, live: {‸token: a, headers: {authorization: b}}}}\n`,
    says: ['graphql.subgraphs.x.live.token: is sent as Authorization, which stands among the headers too'],
  },
  {
    name: 'a fallback that there is not',
    yaml: 'upstreams:\n  users: {targets: [{url: http://127.0.0.1:1}], fallback: {‸upstream: user}}\n',
    says: ['upstreams.users.fallback.upstream: there is no upstream "user"; did you mean "users"?'],
  },
  {
    name: 'fallbacks in a circle, and one that leads into it',
    yaml: `upstreams:
  a: {targets: [{url: http://127.0.0.1:1}], fallback: {upstream: b}}
  b: {targets: [{url: http://127.0.0.1:1}], fallback: {‸upstream: c}}
  c: {targets: [{url: http://127.0.0.1:1}], fallback: {‸upstream: b}}
`,
    says: [
      'upstreams.b.fallback.upstream: falls back on itself: b -> c -> b',
      'upstreams.c.fallback.upstream: falls back on itself: c -> b -> c',
    ],
  },
  {
    name: 'a fallback of a route without an upstream',
    yaml: `routes:\n  - {id: r, path: /a, auth: none, redirect: {to: /b}, ‸fallback: {respond: {}}}\n`,
    says: ['routes[0].fallback: is for routes with an upstream'],
  },
  {
    name: 'a fallback of a method that there is not',
    yaml: `${upstreams}‸${grpc}{upstream: a, auth: none, fallback: {respond: {Got: {}}}}\n`,
    says: ['grpc: one.One has no method Got, which has a fallback'],
  },
  {
    name: 'a fallback that is no such message',
    yaml: `${upstreams}‸${grpc}{upstream: a, auth: none, fallback: {respond: {Get: {a: 1}}}}\n`,
    says: [
      'grpc: the fallback of Get is no one.Empty: cannot decode message one.Empty from JSON: key "a" is unknown',
    ],
  },
  // docs/shaping.md: what shapes requests is checked when it is loaded.
  {
    name: 'a route with two answers',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, ‸redirect: {to: /b}}\n`,
    says: ['routes[0].redirect: excludes upstream: a route has one answer'],
  },
  {
    name: 'a rewrite without an upstream',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, redirect: {to: /b}, ‸rewrite: {path: /c}}\n`,
    says: ['routes[0].rewrite: is for routes with an upstream'],
  },
  {
    name: 'a variable that the path has not',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, ‸rewrite: {path: "/\${path.name}"}}\n`,
    says: ['routes[0].rewrite: the path of this place has no variable "name"'],
  },
  {
    name: 'a value that there is not',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, rewrite: {‸path: "/\${nobody.name}"}}\n`,
    says: [
      'routes[0].rewrite.path: there is no value "nobody.name"; values are path.<variable>, query.<name>, header.<name>, claim.<name>, user.id, user.name, user.roles, user.scopes, user.consumer, request.id, request.method, request.path, request.host, request.scheme, client.address, route.id, trace.id',
    ],
  },
  {
    name: 'a dot segment and a query in a rewritten path',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, rewrite: {‸path: "/a/../b"}}\n`,
    says: ['routes[0].rewrite.path: holds a dot segment'],
  },
  {
    name: 'a redirect to a host out of the request',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, redirect: {‸to: "https://\${query.host}/"}}\n`,
    says: ['routes[0].redirect.to: the host must be written out: else requests could choose it'],
  },
  {
    name: 'a redirect to another host in disguise',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, redirect: {‸to: //evil.example}}\n`,
    says: ['routes[0].redirect.to: must not begin with "//": that is another host'],
  },
  // docs/canary.md: who is released beside whom, and how.
  {
    name: 'a canary to an upstream that there is not',
    yaml: `${two}routes:\n  - {id: r, path: /a, auth: none, upstream: users, canary: {‸upstream: users-v3, steps: [{weight: 5}]}}\n`,
    says: ['routes[0].canary.upstream: there is no upstream "users-v3"; did you mean "users-v2"?'],
  },
  {
    name: 'a canary that is the stable side itself',
    yaml: `${two}grpc:\n  protos: [one.proto]\n  includeDirs: []\n  services:\n    one.One: {upstream: users, auth: none, canary: {‸upstream: users, steps: [{weight: 5}]}}\n`,
    says: ['grpc.services.one.One.canary.upstream: "users" is the upstream that it is released beside'],
  },
  {
    name: 'a place for errors of filtered answers where none is filtered',
    yaml: `${two}graphql:\n  auth: none\n  subgraphs: {a: {upstream: users, schema: a.graphql}}\n  authorization: {onRefused: refuse, ‸errors: none}\n`,
    says: [
      'graphql.authorization.errors: says where filtered answers name what is refused, and onRefused: refuse filters none',
    ],
  },
  {
    name: 'a policy of GraphQL fields that asks for something unknown',
    yaml: `${two}graphql:\n  auth: none\n  subgraphs: {a: {upstream: users, schema: a.graphql}}\n  authorization: {policies: {p: {‸role: [admin]}}}\n`,
    says: ['graphql.authorization.policies.p.role: unknown key "role"; did you mean "roles"?'],
  },
  {
    name: 'users of a canary where nobody is known',
    yaml: `${two}graphql:\n  auth: none\n  subgraphs:\n    a: {upstream: users, schema: a.graphql, canary: {upstream: users-v2, match: {‸users: [ada]}}}\n`,
    says: ['graphql.subgraphs.a.canary.match.users: is not checked where auth is none'],
  },
  {
    name: 'weights of a canary that fall, and a last step that is held',
    yaml: `${two}routes:\n  - {id: r, path: /a, auth: none, upstream: users, canary: {upstream: users-v2, steps: [{weight: 5}, {‸weight: 5}, {weight: 100, ‸hold: 5m}]}}\n`,
    says: [
      'routes[0].canary.steps[1].weight: must be above the 5 of the step before: weights rise',
      'routes[0].canary.steps[2].hold: is for the steps before the last, which stays',
    ],
  },
  {
    name: 'a canary with a weight, an address and a key that there are not',
    yaml: `${two}routes:\n  - {id: r, path: /a, auth: none, upstream: users, canary: {upstream: users-v2, match: {ips: [‸10.0.0.0/33]}, stickyBy: [‸path], steps: [{‸weight: 101}]}}\n`,
    says: [
      'routes[0].canary.match.ips[0]: expected an address or a CIDR range',
      'routes[0].canary.stickyBy[0]: expected user, ip, header:<name> or cookie:<name>',
      'routes[0].canary.steps[0].weight: Too big: expected number to be <=100',
    ],
  },
  {
    name: 'a canary of a route without an upstream',
    yaml: `${two}routes:\n  - {id: r, path: /a, auth: none, redirect: {to: /b}, ‸canary: {upstream: users-v2, steps: [{weight: 5}]}}\n`,
    says: ['routes[0].canary: is for routes with an upstream'],
  },
  {
    name: 'a canary that nobody would get',
    yaml: `${two}routes:\n  - {id: r, path: /a, auth: none, upstream: users, ‸canary: {upstream: users-v2}}\n`,
    says: ['routes[0].canary: nobody would get the new version: set match, or steps with a weight above 0'],
  },
  // docs/tracing.md; URLs with credentials end up in logs (OWASP, "Information exposure through query strings in URL" and before them).
  {
    name: 'traces that nobody gets',
    yaml: `observability:
  tracing: {otlp: {‸url: "http://me:pass@collector:4318"}}
`,
    says: ['observability.tracing.otlp.url: has a user or password; use headers.authorization'],
  },
  {
    name: 'traces to what is no collector',
    yaml: `observability:
  tracing: {otlp: {‸url: "grpc://collector:4317"}}
`,
    says: ['observability.tracing.otlp.url: expected http://host:port or https://host:port'],
  },
  {
    name: 'traces that are none',
    yaml: `observability:
  tracing:
    otlp: {url: "http://collector:4318", headers: {‸Content-Type: text/plain}, tls: {}}
    batch: {‸spans: 100, queue: 10}
    resource: {‸service.name: edge}
`,
    says: [
      'observability.tracing.otlp.headers.Content-Type: is written by the gateway',
      'observability.tracing.batch.spans: is more than may wait (queue)',
      'observability.tracing.resource.service.name: is what serviceName says',
    ],
  },
  {
    name: 'a share of nothing',
    yaml: `observability:
  tracing: {otlp: {url: "http://collector:4318"}, ‸sample: 0, parentBased: false}
`,
    says: ['observability.tracing.sample: traces nothing; leave tracing out instead'],
  },
  // docs/traffic.md, trying again: a hedge asks a second target, and is a second try.
  {
    name: 'hedges that never happen',
    yaml: `upstreams:
  a: {targets: [{url: http://a}], retry: {hedge: {‸after: 1s}}}
  b: {targets: [{url: http://a}, {url: http://b}], retry: {attempts: 1, hedge: {‸after: 1s}}}
  c: {discovery: {type: registry, service: c}, retry: {hedge: {‸after: 1s}}, loadBalancing: {sticky: {cookie: {name: t, secret: sixteen-characters}}}}
`,
    says: [
      'upstreams.a.retry.hedge.after: needs a second target to ask',
      'upstreams.b.retry.hedge.after: a hedge is a second try: needs retry.attempts of 2 at least',
      'upstreams.c.retry.hedge.after: never happens with loadBalancing.sticky, which keeps clients on one target',
    ],
  },
  {
    name: 'a pause between tries that falls',
    yaml: 'upstreams:\n  a: {targets: [{url: http://a}], retry: {backoff: {base: 1s, ‸max: 100ms}}}\n',
    says: ['upstreams.a.retry.backoff.max: must not be below base'],
  },
  {
    name: 'an upstream with an empty list of targets',
    yaml: 'upstreams:\n  a: {‸targets: []}\n',
    says: ['upstreams.a.targets: an upstream needs a target'],
  },
  {
    name: 'values that are missing, in words',
    yaml: 'upstreams:\n  a: {‸discovery: {type: dns, name: users.internal}}\n',
    says: ['upstreams.a.discovery.port: is missing: expected number'],
  },
  {
    name: 'a duration, a size and a percentage as other numbers',
    yaml: 'upstreams:\n  a: {targets: [{url: http://a}], timeouts: {‸perTry: 5}, retry: {‸maxBodyBytes: 1000}, loadBalancing: {‸panicThreshold: 0.5}}\n',
    says: [
      'upstreams.a.timeouts.perTry: is no duration; write 250ms, 5s, 1m, 24h or 7d',
      'upstreams.a.retry.maxBodyBytes: is no size; write 512b, 64kb, 10mb or 1gb',
      'upstreams.a.loadBalancing.panicThreshold: expected a whole number',
    ],
  },
  {
    name: 'an endpoint of etcd without a scheme',
    yaml: 'upstreams:\n  a: {discovery: {type: etcd, endpoints: [‸"127.0.0.1:2379"], prefix: /a/}}\n',
    says: ['upstreams.a.discovery.endpoints[0]: expected http://host:port or https://host:port'],
  },
  {
    name: 'a status that is no redirect',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, redirect: {to: /b, ‸status: 200}}\n`,
    says: ['routes[0].redirect.status: Invalid option: expected one of 301|302|303|307|308'],
  },
  {
    name: 'two bodies',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, respond: {body: a, ‸json: {}}}\n`,
    says: ['routes[0].respond.json: excludes body'],
  },
  {
    name: 'a value deep in JSON',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, respond: {json: {a: [{‸b: "\${user.shoe}"}]}}}\n`,
    says: [
      'routes[0].respond.json.a[0].b: there is no value "user.shoe"; values are path.<variable>, query.<name>, header.<name>, claim.<name>, user.id, user.name, user.roles, user.scopes, user.consumer, request.id, request.method, request.path, request.host, request.scheme, client.address, route.id, trace.id',
    ],
  },
  {
    name: 'a body without an end',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, respond: {json: [‸"\${path.id"]}}\n`,
    says: [`routes[0].respond.json[0]: "\${path.id" has no "}"`],
  },
  {
    name: 'headers that the gateway owns',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, plugins: [{headers: {request: {set: {‸x-user-id: "1"}, remove: [‸X_Forwarded_For]}}}]}\n`,
    says: [
      'routes[0].plugins[0].headers.request.set.x-user-id: "x-user-id" is written by the gateway alone: backends rely on it',
      'routes[0].plugins[0].headers.request.remove[0]: "X_Forwarded_For" is written by the gateway alone: backends rely on it',
    ],
  },
  {
    name: 'headers that frame a message',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, plugins: [{headers: {response: {set: {‸Content-Length: "1"}, add: {‸"bad name": x}}}}]}\n`,
    says: [
      'routes[0].plugins[0].headers.response.set.Content-Length: "Content-Length" describes the message itself and cannot be changed',
      'routes[0].plugins[0].headers.response.add.bad name: "bad name" is no header name',
    ],
  },
  {
    name: 'a line break in a header',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, plugins: [{headers: {response: {set: {‸x-a: "a\\r\\nx-b: c"}}}}]}\n`,
    says: ['routes[0].plugins[0].headers.response.set.x-a: may have printable ASCII only'],
  },
  {
    name: 'a credential as a value',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, plugins: [{headers: {request: {set: {‸x-a: "\${header.authorization}"}}}}]}\n`,
    says: [
      'routes[0].plugins[0].headers.request.set.x-a: the header "authorization" holds credentials, which are not passed on; see forwardCredentials',
    ],
  },
  {
    name: 'a Location out of the request',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, plugins: [‸{headers: {response: {set: {location: "\${query.to}"}}}}]}\n`,
    says: [
      'routes[0].plugins[0]: response header "location": browsers obey this header: it is written out, never made of values',
    ],
  },
  {
    name: 'the configured key header as a value',
    yaml: `auth: {apiKeys: {header: X-Token}}\n${upstreams}routes:\n  - {id: r, path: /a, auth: none, upstream: a, plugins: [‸{headers: {request: {set: {x-a: "\${header.x-token}"}}}}]}\n`,
    says: [
      'routes[0].plugins[0]: request header "x-a": the header "x-token" holds credentials, which are not passed on; see forwardCredentials',
    ],
  },
  {
    name: 'a header that becomes the configured key header',
    yaml: `auth: {apiKeys: {header: X-Token}}\n${upstreams}routes:\n  - {id: r, path: /a, auth: none, upstream: a, plugins: [‸{headers: {request: {rename: {x-a: X-Token}}}}]}\n`,
    says: ['routes[0].plugins[0]: request header "X-Token" holds credentials: nothing is renamed to it'],
  },
  {
    name: 'a credential made of values',
    yaml: `${upstreams}routes:\n  - {id: r, path: /a, auth: none, upstream: a, plugins: [‸{headers: {request: {set: {Authorization: "Bearer \${query.t}"}}}}]}\n`,
    says: [
      'routes[0].plugins[0]: request header "Authorization": credentials are written out, never made of values',
    ],
  },
  {
    name: 'a path variable in the global list',
    yaml: `plugins: [‸{headers: {request: {set: {x-a: "\${path.id}"}}}}]\n`,
    says: ['plugins[0]: request header "x-a": the path of this place has no variable "id"'],
  },
  {
    name: 'a content type where other protocols are served',
    yaml: `plugins: [‸{headers: {response: {set: {content-type: a/b}}}}]\n`,
    says: ['plugins[0]: "content-type" can be changed in REST routes only: the other protocols depend on it'],
  },
  {
    name: 'a fault of nothing, and one that is no error',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, plugins: [{‸fault: {}}, {fault: {abort: {percent: 1, ‸status: 200}}}]}\n`,
    says: [
      'routes[0].plugins[0].fault: needs delay or abort',
      'routes[0].plugins[1].fault.abort.status: Invalid option: expected one of 403|404|429|500|501|502|503|504',
    ],
  },
  {
    name: 'a stream of events to be compressed',
    yaml: `${upstreams}routes:\n  - {id: r, path: '/a/{id}', auth: none, upstream: a, plugins: [{compression: {types: [‸text/event-stream]}}]}\n`,
    says: ['routes[0].plugins[0].compression.types[0]: streams of events and gRPC are never compressed'],
  },
  {
    name: 'a value that lost its quotes, which may be a secret',
    yaml: 'auth:\n  issuer:\n    issuer: a\n    users:\n      - ‸{name: ada, passwordHash: $scrypt$ln=17,r=8,p=1$J4uVIdhBN19t4ThhgnfaQg$k8JfA6j6t}\n',
    says: ['auth.issuer.users[0]: has a key that is no name: is a value to be quoted?'],
  },
  {
    name: 'an unknown key at the top',
    yaml: '‸servr: {}\n',
    says: ['servr: unknown key "servr"; did you mean "server"?'],
  },
  {
    name: 'an unknown key in a section',
    yaml: 'server:\n  ‸lisen: 127.0.0.1:0\n',
    says: ['server.lisen: unknown key "lisen"; did you mean "listen"?'],
  },
  {
    name: 'two mistakes in one line, in their order',
    yaml: 'server: {‸lisen: x, limits: {‸headerCount: many}}\n',
    says: [
      'server.lisen: unknown key "lisen"; did you mean "listen"?',
      'server.limits.headerCount: Invalid input: expected number, received string',
    ],
  },
  {
    name: 'an unknown key two sections deep',
    yaml: 'server:\n  limits: {‸bodybites: 1mb}\n',
    says: ['server.limits.bodybites: unknown key "bodybites"; did you mean "bodyBytes"?'],
  },
  {
    name: 'an unknown key of a named thing',
    yaml: 'upstreams:\n  a:\n    targets: [{url: http://a}]\n    ‸timeout: {}\n',
    says: ['upstreams.a.timeout: unknown key "timeout"; did you mean "timeouts"?'],
  },
  {
    name: 'an unknown key in an item of a list in a named thing',
    yaml: 'upstreams:\n  a:\n    targets:\n      - url: http://a\n        ‸wieght: 1\n',
    says: ['upstreams.a.targets[0].wieght: unknown key "wieght"; did you mean "weight"?'],
  },
  {
    name: 'an unknown key of a route',
    yaml: `${upstreams}routes:\n  - id: r\n    path: /a\n    upstream: a\n    ‸method: [GET]\n`,
    says: ['routes[0].method: unknown key "method"; did you mean "methods"?'],
  },
  {
    name: 'an unknown key in a section of a route, with the beginning of a known one',
    yaml: `${upstreams}routes:\n  - {id: r, path: /a, upstream: a, rewrite: {‸strip: /a}}\n`,
    says: ['routes[0].rewrite.strip: unknown key "strip"; did you mean "stripPrefix"?'],
  },
  {
    name: 'an unknown option of a global plugin',
    yaml: 'plugins:\n  - cors: {‸allowOrigin: []}\n',
    says: ['plugins[0].cors.allowOrigin: unknown key "allowOrigin"; did you mean "allowOrigins"?'],
  },
  {
    name: 'an unknown option of a plugin of a route',
    yaml: `${upstreams}routes:\n  - id: r\n    path: /a\n    upstream: a\n    plugins: [{rateLimit: {name: x, limit: 1, window: 1m, by: ip, ‸burts: 3}}]\n`,
    says: ['routes[0].plugins[0].rateLimit.burts: unknown key "burts"; did you mean "burst"?'],
  },
  {
    name: 'an unknown key that is near to none',
    yaml: 'stores: {‸xyzzy: 1}\n',
    says: ['stores.xyzzy: unknown key "xyzzy"; known: redis, database'],
  },
  {
    name: 'an unknown key of an issuer and of a consumer',
    yaml: 'auth:\n  jwt:\n    - {issuer: x, audience: y, algorithms: [HS256], ‸secrte: z}\nconsumers:\n  - {id: c, ‸kyes: []}\n',
    says: [
      'auth.jwt[0].secrte: unknown key "secrte"; did you mean "secret"?',
      'consumers[0].kyes: unknown key "kyes"; did you mean "keys"?',
    ],
  },
  {
    name: 'an unknown key of GraphQL limits, of a subgraph and of a gRPC service',
    yaml: `${upstreams}graphql:\n  limits: {‸dept: 1}\n  subgraphs: {x: {upstream: a, schema: a.graphql, ‸pth: /}}\n${grpc}{upstream: a, json: {‸emitDefault: true}}\n`,
    says: [
      'graphql.limits.dept: unknown key "dept"; did you mean "depth"?',
      'graphql.subgraphs.x.pth: unknown key "pth"; did you mean "path"?',
      'grpc.services.one.One.json.emitDefault: unknown key "emitDefault"; did you mean "emitDefaults"?',
    ],
  },
  {
    name: 'an unknown plugin',
    yaml: 'plugins: [‸cros]\n',
    says: ['plugins[0]: unknown plugin "cros"; did you mean "cors"?'],
  },
  {
    name: 'a plugin that is no plugin',
    yaml: 'plugins:\n  - ‸5\n  - ‸{cors: {}, metrics: {}}\n',
    says: [
      'plugins[0]: expected a plugin: its name, or its name with options',
      'plugins[1]: expected one plugin: its name, or its name with options',
    ],
  },
  {
    name: 'a value of the wrong type',
    yaml: 'server:\n  limits: {‸headerCount: many}\n',
    says: ['server.limits.headerCount: Invalid input: expected number, received string'],
  },
  {
    name: 'a list where a mapping belongs',
    yaml: '‸routes: {}\n',
    says: ['routes: Invalid input: expected array, received object'],
  },
  {
    name: 'a word that is none of the known ones',
    yaml: 'observability: {log: {‸level: loud}}\n',
    says: ['observability.log.level: Invalid option: expected one of "debug"|"info"|"warn"|"error"|"silent"'],
  },
  {
    name: 'a duration and a size without unit',
    yaml: 'server:\n  limits:\n    ‸bodyBytes: "10"\n    ‸headersTimeout: 10 s\n',
    says: [
      'server.limits.bodyBytes: "10" is no size; write 512b, 64kb, 10mb or 1gb',
      'server.limits.headersTimeout: "10 s" is no duration; write 250ms, 5s, 1m, 24h or 7d',
    ],
  },
  {
    name: 'a missing key, at the thing that lacks it',
    yaml: `${upstreams}routes:\n  - ‸{id: r, path: /a}\n`,
    says: [
      'routes[0]: says nowhere who answers: set one of upstream, redirect, respond, aggregate and graphqlOperation',
    ],
  },
  {
    name: 'a port above 65535',
    yaml: 'server: {‸listen: "127.0.0.1:70000"}\n',
    says: ['server.listen: a port is at most 65535'],
  },
  {
    name: 'a target with a path and one that is no address',
    yaml: 'upstreams:\n  a:\n    targets:\n      - {‸url: http://a/b}\n      - {‸url: http://a:99999}\n',
    says: [
      'upstreams.a.targets[0].url: expected http://host:port or https://host:port without a path',
      'upstreams.a.targets[1].url: expected http://host:port or https://host:port',
    ],
  },
  // docs/discovery.md
  {
    name: 'targets that are nowhere, or twice',
    yaml: 'upstreams:\n  ‸a: {}\n  b: {targets: [{url: http://a}], ‸discovery: {type: registry, service: b}}\n',
    says: [
      'upstreams.a: says nowhere what the targets are: set targets or discovery',
      'upstreams.b.discovery: excludes targets: they are listed or found',
    ],
  },
  {
    name: 'discovery of a kind that there is not',
    yaml: 'upstreams:\n  a: {discovery: {‸type: consul}}\n',
    says: ['upstreams.a.discovery.type: expected a type: dns, dnsSrv, etcd or registry'],
  },
  {
    name: 'discovery with keys of another kind, or misspelt',
    yaml: 'upstreams:\n  a: {discovery: {type: registry, service: a, ‸port: 1}}\n  b: {discovery: {type: dns, name: b, port: 1, ‸sheme: https}}\n',
    says: [
      'upstreams.a.discovery.port: the key "port" is for another type',
      'upstreams.b.discovery.sheme: unknown key "sheme"; did you mean "scheme"?',
    ],
  },
  {
    name: 'discovery that cannot work',
    yaml: `upstreams:
  a: {discovery: {type: dns, ‸name: "a b", port: 1, servers: [‸dns.internal], refresh: {min: 10s, ‸max: 1s}}}
  b: {discovery: {type: dnsSrv, name: b, ‸scheme: https}}
  c: {discovery: {type: etcd, endpoints: [‸"localhost:2379"], ‸prefix: /users}}
`,
    says: [
      'upstreams.a.discovery.name: expected a domain name',
      'upstreams.a.discovery.servers[0]: expected an address: 10.0.0.2, 10.0.0.2:5353 or [::1]:53',
      'upstreams.a.discovery.refresh.max: must not be below min',
      'upstreams.b.discovery.scheme: https needs tls.serverName: certificates are not for the addresses of SRV records',
      'upstreams.c.discovery.endpoints[0]: expected http://host:port or https://host:port',
      'upstreams.c.discovery.prefix: expected a prefix that ends with "/"',
    ],
  },
  {
    name: 'authorities of etcd that are none',
    yaml: 'upstreams:\n  a: {discovery: {type: etcd, endpoints: [https://a], prefix: /a/, tls: {‸ca: file://a.graphql}}}\n',
    says: ['upstreams.a.discovery.tls.ca: file://a.graphql holds no certificate in PEM'],
  },
  // docs/traffic.md, Health
  {
    name: 'statuses of probes that are none',
    yaml: `upstreams:\n  a:\n    targets: [{url: http://a}]\n    healthChecks: {active: {statuses: [200, ‸20, ‸"299-200", ‸2xx]}}\n`,
    says: [0, 1, 2].map(
      (index) =>
        `upstreams.a.healthChecks.active.statuses[${index + 1}]: expected a status such as 204, or a range such as "200-299"`,
    ),
  },
  {
    name: 'a probe by HEAD that wants a body',
    yaml: `upstreams:\n  a:\n    targets: [{url: http://a}]\n    healthChecks: {active: {method: HEAD, ‸body: ok}}\n`,
    says: ['upstreams.a.healthChecks.active.body: is for method GET: an answer to HEAD has none'],
  },
  {
    name: 'a template that does not parse',
    yaml: `${upstreams}routes:\n  - {id: r, ‸path: "/a/{", upstream: a}\n`,
    says: ['routes[0].path: Template "/a/{", column 5: expected a field name, found the end'],
  },
  {
    name: 'a key of a consumer that is no hash',
    yaml: 'consumers:\n  - id: c\n    keys: [{‸hash: gwk_live_x}]\n',
    says: [
      'consumers[0].keys[0].hash: expected sha256: and 64 hexadecimal digits; `gateway keys create --offline` prints one',
    ],
  },
  {
    name: 'files of a certificate that are not there',
    yaml: 'server:\n  tls:\n    cert: ‸file://none.pem\n    key: ‸file://none.key\n',
    says: [
      "server.tls.cert: cannot read file://none.pem: ENOENT: no such file or directory, open 'FOLDER/none.pem'",
      "server.tls.key: cannot read file://none.key: ENOENT: no such file or directory, open 'FOLDER/none.key'",
    ],
  },
  {
    name: 'a file that holds no certificate',
    yaml: 'server:\n  tls: {‸cert: file://a.graphql, key: file://a.graphql}\n',
    says: ['server.tls.cert: file://a.graphql is no certificate in PEM'],
  },
  {
    name: 'a key that is none',
    yaml: 'server:\n  tls: {cert: file://shop.pem, ‸key: file://a.graphql}\n',
    says: [
      'server.tls.key: file://a.graphql is no private key in PEM, or one with a passphrase, which is not supported',
    ],
  },
  {
    name: 'a key of another certificate, of one by name',
    yaml: 'server:\n  tls:\n    cert: file://shop.pem\n    key: file://shop.key\n    certificates:\n      - hosts: [a.example]\n        cert: file://shop.pem\n        ‸key: file://other.key\n',
    says: [
      'server.tls.certificates[0].key: file://other.key does not belong to the certificate of CN=shop.example, O=Shop',
    ],
  },
  {
    name: 'client certificates without an authority, and the other way round',
    yaml: 'server:\n  tls: {cert: a, key: b, ‸clientAuth: require}\n',
    says: ['server.tls.clientAuth: needs clientCa'],
  },
  {
    name: 'an authority of client certificates that is none',
    yaml: 'server:\n  tls: {cert: file://shop.pem, key: file://shop.key, clientAuth: request, ‸clientCa: file://a.graphql}\n',
    says: ['server.tls.clientCa: file://a.graphql holds no certificate in PEM'],
  },
  {
    name: 'a server name with a wildcard inside',
    yaml: 'server:\n  tls: {cert: a, key: b, certificates: [{hosts: [‸"a.*.example"], cert: a, key: b}]}\n',
    says: ['server.tls.certificates[0].hosts[0]: expected a name in lower case: shop.example, or *.example'],
  },
  {
    name: 'an upstream with a certificate of its own and no key, and an authority that is none',
    yaml: 'upstreams:\n  a: {targets: [{url: https://a}], tls: {‸cert: x}}\n',
    says: ['upstreams.a.tls.cert: needs key beside it'],
  },
  {
    name: 'an authority of an upstream that is none',
    yaml: 'upstreams:\n  a: {targets: [{url: https://a}], tls: {‸ca: file://a.graphql}}\n',
    says: ['upstreams.a.tls.ca: file://a.graphql holds no certificate in PEM'],
  },
  // References.
  {
    name: 'dangling upstreams everywhere',
    yaml: `${upstreams.replace('a:', 'users:')}routes:\n  - {id: r, path: /a, ‸upstream: user, auth: none}\ngraphql:\n  auth: none\n  subgraphs: {x: {‸upstream: b, schema: a.graphql}}\n${grpc}{‸upstream: usres, auth: none}\n`,
    says: [
      'routes[0].upstream: there is no upstream "user"; did you mean "users"?',
      'graphql.subgraphs.x.upstream: there is no upstream "b"; known: users',
      'grpc.services.one.One.upstream: there is no upstream "usres"; did you mean "users"?',
    ],
  },
  {
    name: 'mirrors that lead nowhere, or back',
    yaml: `${upstreams.replace('a:', 'users:')}routes:\n  - {id: r, path: /a, upstream: users, auth: none, mirror: {‸upstream: user}}\ngraphql:\n  auth: none\n  subgraphs: {x: {upstream: users, schema: a.graphql, mirror: {‸upstream: users}}}\n${grpc}{upstream: users, auth: none, mirror: {‸upstream: next}}\n`,
    says: [
      'routes[0].mirror.upstream: there is no upstream "user"; did you mean "users"?',
      'graphql.subgraphs.x.mirror.upstream: "users" is the upstream that is mirrored',
      'grpc.services.one.One.mirror.upstream: there is no upstream "next"; known: users',
    ],
  },
  {
    name: 'a mirror of a route without an upstream',
    yaml: `${upstreams}routes:\n  - {id: r, path: /a, auth: none, redirect: {to: /b}, ‸mirror: {upstream: a}}\n`,
    says: ['routes[0].mirror: is for routes with an upstream'],
  },
  {
    name: 'a mirror of no size',
    yaml: `${upstreams}routes:\n  - {id: r, path: /b, auth: none, upstream: a, mirror: {upstream: b, ‸percent: 101, ‸maxInFlight: 0, ‸timeout: 0s}}\n`,
    says: [
      'routes[0].mirror.percent: Too big: expected number to be <=100',
      'routes[0].mirror.maxInFlight: Too small: expected number to be >=1',
      'routes[0].mirror.timeout: expected more than 0s',
    ],
  },
  {
    name: 'ids that stand twice',
    yaml: `${rest}  - {‸id: r, path: /b, upstream: a, auth: none}\nconsumers: [{id: c}, {‸id: c}]\n`,
    says: ['routes[1].id: the id "r" stands twice', 'consumers[1].id: the id "c" stands twice'],
  },
  {
    name: 'a route that needs an identity where nobody has one',
    yaml: `${upstreams}routes:\n  - ‸{id: r, path: /a, upstream: a}\n`,
    says: [
      'routes[0]: needs an identity, but there are no consumers, no auth.jwt, no auth.introspection and no auth.issuer; add one, or set auth: none',
    ],
  },
  {
    name: 'a role that nobody would be asked for',
    yaml: `${upstreams}routes:\n  - {id: r, path: /a, upstream: a, auth: none, ‸authorize: {roles: [admin]}}\n`,
    says: ['routes[0].authorize: is not checked where auth is none'],
  },
  {
    name: 'a claim that nobody would be asked for',
    yaml: `${upstreams}routes:\n  - {id: r, path: /a, upstream: a, auth: none, ‸authorize: {claims: {a: 1}}}\n`,
    says: ['routes[0].authorize: is not checked where auth is none'],
  },
  {
    name: 'a claim compared with a variable that the path has not',
    yaml: `${upstreams}consumers: [{id: c}]\nroutes:\n  - {id: r, path: "/a/{id}", upstream: a, authorize: {claims: {‸sub: "\${path.user}"}}}\n`,
    says: ['routes[0].authorize.claims.sub: the path of this place has no variable "user"'],
  },
  {
    name: 'a consumer that there is not',
    yaml: `${upstreams}consumers: [{id: c}]\nroutes:\n  - {id: r, path: /a, upstream: a, authorize: {consumers: [‸d]}}\n`,
    says: ['routes[0].authorize.consumers[0]: there is no consumer "d"; did you mean "c"?'],
  },
  {
    name: 'a gRPC method that there is not',
    yaml: `${upstreams}consumers: [{id: c}]\n${grpc}{upstream: a, methods: {‸Gte: {auth: none}}}\n`,
    says: ['grpc.services.one.One.methods.Gte: one.One has no method "Gte"; did you mean "Get"?'],
  },
  {
    name: 'a gRPC method whose callers would not be asked',
    yaml: `${upstreams}${grpc}{upstream: a, auth: none, methods: {Get: {‸authorize: {roles: [a]}}}}\n`,
    says: ['grpc.services.one.One.methods.Get.authorize: is not checked where auth is none'],
  },
  {
    name: 'a claim of a gRPC method compared with the path, which it has several of',
    yaml: `${upstreams}consumers: [{id: c}]\n${grpc}{upstream: a, methods: {Get: {authorize: {claims: {‸sub: "\${path.x}"}}}}}\n`,
    says: [
      'grpc.services.one.One.methods.Get.authorize.claims.sub: the path of this place has no variable "x"',
    ],
  },
  {
    name: 'an authorization service that there is not',
    yaml: `${upstreams}routes:\n  - {id: r, path: /a, upstream: a, auth: none, plugins: [‸{forwardAuth: {upstream: b}}]}\n`,
    says: ['routes[0].plugins[0]: there is no upstream "b"; did you mean "a"?'],
  },
  {
    name: 'what a kept answer depends on where none is kept',
    yaml: `${upstreams}routes:\n  - {id: r, path: /a, upstream: a, auth: none, plugins: [{forwardAuth: {upstream: a, ‸cacheBy: [ip]}}]}\n`,
    says: ['routes[0].plugins[0].forwardAuth.cacheBy: does nothing without cacheFor'],
  },
  {
    name: 'headers of a client that are not believed',
    yaml: `${upstreams}routes:\n  - {id: r, path: /a, upstream: a, auth: none, plugins: [{forwardAuth: {upstream: a, requestHeaders: [‸X-User-ID]}}]}\n`,
    says: [
      'routes[0].plugins[0].forwardAuth.requestHeaders[0]: a client\'s own "x-user-id" is not believed; what the gateway knows is sent in any case',
    ],
  },
  {
    name: 'a header of an answer that frames messages',
    yaml: `${upstreams}routes:\n  - {id: r, path: /a, upstream: a, auth: none, plugins: [{forwardAuth: {upstream: a, responseHeaders: [‸Content-Length]}}]}\n`,
    says: [
      'routes[0].plugins[0].forwardAuth.responseHeaders[0]: "content-length" describes the message itself and cannot be changed',
    ],
  },
  {
    name: 'two that say who calls',
    yaml: `${upstreams}consumers: [{id: c}]\nroutes:\n  - {id: r, path: /a, upstream: a, plugins: [‸{forwardAuth: {upstream: a, user: x-auth-user}}]}\n`,
    says: [
      'routes[0].plugins[0]: forwardAuth.user: says who calls, and so does the identity of this place; set auth: none',
    ],
  },
  {
    name: 'a claim whose name would be lost',
    yaml: `${upstreams}consumers: [{id: c}]\nroutes:\n  - {id: r, path: /a, upstream: a, authorize: {claims: {‸__proto__: x}}}\n`,
    says: ['routes[0].authorize.claims.__proto__: this name cannot be used'],
  },
  {
    name: 'rewrites that exclude each other',
    yaml: `${upstreams}routes:\n  - {id: r, path: /a, upstream: a, auth: none, ‸rewrite: {path: /, stripPrefix: /a}}\n`,
    says: ['routes[0].rewrite: path and stripPrefix exclude each other'],
  },
  // Clashes, of every pair of front-ends.
  {
    name: 'two REST routes that clash',
    yaml: `${rest}  - {id: s, ‸path: "/{x=a}", upstream: a, auth: none}\n`,
    says: ['routes[1].path: "/{x=a}" (any method) of route "s" clashes with "/a" of route "r"'],
  },
  {
    name: 'a REST route and the GraphQL endpoint that clash',
    yaml: `${upstreams}routes:\n  - {id: r, path: /graphql, methods: [POST], upstream: a, auth: none}\ngraphql:\n  ‸path: /graphql\n  auth: none\n  subgraphs: {x: {upstream: a, schema: a.graphql}}\n`,
    says: ['graphql.path: "/graphql" (GET, POST) of graphql.path clashes with "/graphql" of route "r"'],
  },
  {
    name: 'a REST route and a gRPC method that clash',
    yaml: `${upstreams}routes:\n  - {id: r, path: /v1/x, methods: [GET], upstream: a, auth: none}\n${grpc}{‸upstream: a, auth: none}\n`,
    says: [
      'grpc.services.one.One.upstream: "/v1/x" (GET) of FOLDER/one.proto:6:3: one.One.Get clashes with "/v1/x" of route "r"',
    ],
  },
  // What only shows when it is built.
  {
    name: 'an SDL file that is not there',
    yaml: `${upstreams}graphql:\n  auth: none\n  subgraphs: {x: {upstream: a, ‸schema: no.graphql}}\n`,
    says: [
      "graphql.subgraphs.x.schema: cannot be read: ENOENT: no such file or directory, open 'FOLDER/no.graphql'",
    ],
  },
  {
    name: 'a pattern that matches no proto',
    yaml: `${upstreams}grpc:\n  protos: [‸"no/*.proto"]\n  services: {}\n`,
    says: ['grpc.protos[0]: no file matches "no/*.proto"'],
  },
  {
    name: 'an issuer that cannot be asked for its keys, and one that need not be',
    yaml: 'auth:\n  jwt:\n    - {‸issuer: house, audience: a, algorithms: [RS256]}\n    - {issuer: http://127.0.0.1:1, audience: [a, b], algorithms: [RS256]}\n',
    says: [
      'auth.jwt[0].issuer: without secret, jwks and jwksUri it must be an https address, which tells where its keys are',
    ],
  },
  {
    name: 'keys that are fetched neither too often nor in vain',
    yaml: 'auth:\n  jwt:\n    - {issuer: x, audience: a, algorithms: [HS256], secret: a, ‸jwksRefresh: 1m, ‸jwksMaxStale: 1h}\n    - {issuer: https://x.example, audience: a, algorithms: [RS256], ‸jwksRefresh: 0s}\n',
    says: [
      'auth.jwt[0].jwksRefresh: is for key sets that are fetched',
      'auth.jwt[0].jwksMaxStale: is for key sets that are fetched',
      'auth.jwt[1].jwksRefresh: between 1s and 1h',
    ],
  },
  {
    name: 'tokens in the header of the keys',
    yaml: 'auth:\n  tokens: {‸header: X-API-Key}\n',
    says: ['auth.tokens.header: is the header of API keys'],
  },
  {
    name: 'tokens in a header that means something else',
    yaml: 'auth:\n  tokens: {‸header: Cookie}\n',
    says: ['auth.tokens.header: means something else'],
  },
  {
    name: 'tokens in a header of the connection',
    yaml: 'auth:\n  tokens: {‸header: Proxy-Authorization, cookie: a}\n',
    says: ['auth.tokens.header: means something else'],
  },
  {
    name: 'origins of a cookie that there is not',
    yaml: 'auth:\n  tokens: {‸allowedOrigins: [https://a.example]}\n',
    says: ['auth.tokens.allowedOrigins: is not used without cookie'],
  },
  {
    name: 'servers that cannot be asked about tokens',
    yaml: 'auth:\n  introspection:\n    - {‸issuer: house, clientId: a, clientSecret: b}\n',
    says: [
      'auth.introspection[0].issuer: without url it must be an https address, which tells where its endpoint is',
    ],
  },
  {
    name: 'a server without a secret',
    yaml: 'auth:\n  introspection:\n    - {issuer: https://x.example, clientId: a, ‸clientSecret: ""}\n',
    says: ['auth.introspection[0].clientSecret: must not be empty'],
  },
  {
    name: 'two servers for the same tokens',
    yaml: 'auth:\n  introspection:\n    - {issuer: https://x.example, clientId: a, clientSecret: b}\n    - {issuer: https://y.example, clientId: a, clientSecret: b, ‸tokenPrefix: ""}\n',
    says: ['auth.introspection[1].tokenPrefix: "" is there twice'],
  },
  {
    name: 'a secret that is too short, of the second issuer',
    yaml: 'auth:\n  jwt:\n    - {issuer: empty, audience: a, algorithms: [HS256], secret: ""}\n    - {issuer: x, audience: a, algorithms: [HS256], ‸secret: short}\n',
    says: ['auth.jwt[1].secret: must have at least 32 bytes (RFC 7518 section 3.2)'],
  },
  {
    name: 'an issuer without an audience, and one whose audience is none',
    yaml: 'auth:\n  jwt:\n    - ‸{issuer: https://x.example, algorithms: [RS256]}\n    - {issuer: https://y.example, ‸audience: 7, algorithms: [RS256]}\n',
    says: [
      'auth.jwt[0].audience: is missing: expected a text or a list of texts',
      'auth.jwt[1].audience: expected a text or a list of texts',
    ],
  },
  {
    name: 'an algorithm with a secret where there is no secret',
    yaml: 'auth:\n  jwt:\n    - {issuer: https://x.example, audience: a, ‸algorithms: [RS256, HS256]}\n',
    says: ['auth.jwt[0].algorithms: HS256 needs `secret`'],
  },
  {
    name: 'keys that end on a day, and after a while',
    yaml: `consumers:\n  - {id: c, keys: [{hash: "sha256:${'0'.repeat(64)}", ‸expiresAt: 2027-01-01}, {hash: "sha256:${'1'.repeat(64)}", ‸expiresAt: 30d}]}\n`,
    says: [
      'consumers[0].keys[0].expiresAt: expected a time such as 2027-01-01T00:00:00Z',
      'consumers[0].keys[1].expiresAt: expected a time such as 2027-01-01T00:00:00Z',
    ],
  },
  {
    name: 'a key set without keys',
    yaml: 'auth:\n  jwt:\n    - issuer: x\n      audience: a\n      algorithms: [RS256]\n      ‸jwks: file://jwks.json\n',
    says: ['auth.jwt[0].jwks: must be a JSON Web Key Set with a key in it'],
  },
  {
    name: 'a key that two consumers share',
    yaml: `consumers:\n  - {id: c, keys: [{hash: "sha256:${'0'.repeat(64)}"}]}\n  - {id: d, keys: [{‸hash: "sha256:${'0'.repeat(64)}"}]}\n`,
    says: ['consumers[1].keys[0].hash: another consumer or key has the same hash'],
  },
  {
    name: 'a module with plugins that is not there',
    yaml: 'pluginModules: [‸no.ts]\n',
    says: ["pluginModules[0]: ENOENT: no such file or directory, stat 'FOLDER/no.ts'"],
  },
  // Substitution.
  {
    name: 'environment variables that are not set',
    yaml: `upstreams:\n  a:\n    targets:\n      - {url: ‸"\${NOBODY}", weight: 1}\nconsumers: [{id: ‸"c-\${EMPTY}"}]\n`,
    says: [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the words of the message
      'upstreams.a.targets[0].url: environment variable NOBODY is not set; write ${NOBODY:-default} to give a default',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the words of the message
      'consumers[0].id: environment variable EMPTY is not set; write ${EMPTY:-default} to give a default',
    ],
  },
  {
    name: 'a file:// that names nothing',
    yaml: 'pluginModules:\n  - ‸file://nope\n',
    says: [
      "pluginModules[0]: cannot read file://nope: ENOENT: no such file or directory, open 'FOLDER/nope'",
    ],
  },
  // YAML.
  {
    name: 'the first syntax error only',
    yaml: 'routes:\n  - {id: r, path: /a/‸{x}, upstream: a}\n  - {id: r}\n',
    says: ['Unexpected flow-map-start at node end'],
  },
  { name: 'a key that stands twice', yaml: 'routes: []\n‸routes: []\n', says: ['Map keys must be unique'] },
  {
    name: 'an alias to nothing',
    yaml: '‸routes: *none\n',
    says: ['Unresolved alias (the anchor must be set before the alias): none'],
  },
  { name: 'an empty file', yaml: '‸', says: ['is empty; {} is a gateway without routes'] },
  { name: 'a file of comments', yaml: '‸# nothing\n', says: ['is empty; {} is a gateway without routes'] },
  {
    name: 'a file that is no mapping',
    yaml: '‸- routes\n',
    says: ['Invalid input: expected object, received array'],
  },
  {
    name: 'several mistakes at once, in the order of the file',
    yaml: 'server: {‸lisen: x}\nplugins: [‸nobody]\nroutes:\n  - ‸{id: r, path: /a}\n‸foo: 1\n',
    says: [
      'server.lisen: unknown key "lisen"; did you mean "listen"?',
      'plugins[0]: unknown plugin "nobody"; known: requestId, accessLog, metrics, cors, forwardAuth, rateLimit, headers, fault, compression, validate, ipAccess, userAgent, concurrency, securityHeaders, threatFilter',
      'routes[0]: says nowhere who answers: set one of upstream, redirect, respond, aggregate and graphqlOperation',
      'foo: unknown key "foo"; known: $schema, server, stores, observability, admin, apiDocs, pluginModules, plugins, upstreams, routes, graphql, grpc, auth, consumers',
    ],
  },
]

testMistakes(cases, files)

test('points at a file that is not there', async () => {
  await assert.rejects(createGateway({ file: '/nowhere/gateway.yaml', log: silentLog }), {
    name: 'ConfigError',
    message: /nowhere\/gateway\.yaml: cannot be read: ENOENT: no such file or directory/,
  })
})
