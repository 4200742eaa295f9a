import { type MistakeCase, testMistakes } from './points-at.ts'

const files = {
  'one.proto': `syntax = "proto3";
package one;
import "google/api/httpbody.proto";
message Ask { string id = 1; Inner inner = 2; repeated Inner list = 3; }
message Inner { int32 n = 1; }
service One {
  rpc Get(Ask) returns (Inner);
  rpc Watch(Ask) returns (stream Inner);
  rpc Raw(Ask) returns (google.api.HttpBody);
}
`,
  'a.graphql': `type Query { a(id: ID!, f: F, n: Int): A! all: [A!]! }
type Mutation { set(id: ID!): A }
type Subscription { told: A }
type A { id: ID! b: A }
input F { word: String!, max: Int }
`,
  'set.graphql': 'query {\n  nobody\n}\n',
}

const upstreams = 'upstreams: {a: {targets: [{url: http://127.0.0.1:1}]}}\n'
const graphql = 'graphql: {auth: none, subgraphs: {a: {upstream: a, schema: a.graphql}}}\n'
const grpc =
  'grpc: {protos: [one.proto], includeDirs: [], services: {one.One: {upstream: a, auth: none, unannotated: true}}}\n'
const v = (name: string): string => `\${${name}}`

/** A route that aggregates these parts. */
function parts(...written: readonly string[]): string {
  const list = written.map((part) => `        - {${part}}\n`).join('')
  return `${upstreams}routes:\n  - id: r\n    path: /a/{id}\n    auth: none\n    methods: [GET]\n    aggregate:\n      parts:\n${list}`
}

/** A route that runs this. */
function runs(written: string, methods = '[GET]'): string {
  return `${upstreams}${graphql}routes:\n  - id: r\n    path: /a/{id}\n    auth: none\n    methods: ${methods}\n    graphqlOperation: {${written}}\n`
}

const rest = 'rest: {upstream: a, path: /a}'
const at = 'routes[0].aggregate.parts'
const of = 'routes[0].graphqlOperation'
const query = '"query($id: ID!) { a(id: $id) { id b { id } } }"'

/** docs/aggregation.md: what is wrong is refused when the configuration loads. */
const cases: readonly MistakeCase[] = [
  {
    name: 'a part without a call, one with two, and a name that stands twice',
    yaml: parts('‸name: x', `name: y, ${rest}, ‸grpc: {method: a.B/C}`, `‸name: y, as: z, ${rest}`).replace(
      '{‸name: x}',
      '‸{name: x}',
    ),
    says: [
      `${at}[0]: says nowhere what is called: set one of rest, grpc and graphql`,
      `${at}[1].grpc: excludes rest: a part is one call`,
      `${at}[2].name: the name "y" stands twice`,
    ],
  },
  {
    name: 'a part that there is not, and one that is optional',
    yaml: parts(
      `name: user, optional: true, ${rest}`,
      `name: x, dependsOn: [‸usr], ${rest}`,
      `name: y, dependsOn: [‸user], ${rest}`,
    ),
    says: [
      `${at}[1].dependsOn[0]: there is no part "usr"; did you mean "user"?`,
      `${at}[2].dependsOn[0]: "user" is optional, so what depends on it must be optional too`,
    ],
  },
  {
    name: 'parts that wait for each other',
    yaml: parts(
      `name: u, ${rest}`,
      `name: x, ‸dependsOn: [y], ${rest}`,
      `name: y, dependsOn: [z, u], ${rest}`,
      `name: z, dependsOn: [x], ${rest}`,
    ),
    says: [`${at}[1].dependsOn: the parts wait for each other: x -> y -> z -> x`],
  },
  {
    name: 'a part that waits for itself',
    yaml: parts(`name: x, ‸dependsOn: [x], ${rest}`),
    says: [`${at}[0].dependsOn: the parts wait for each other: x -> x`],
  },
  {
    name: 'members that two parts write, or the list of errors',
    yaml: parts(
      `name: x, ${rest}`,
      `name: y, ‸as: x, ${rest}`,
      `name: z, merge: true, ‸select: [x.a, b], ${rest}`,
      `‸name: errors, ${rest}`,
    ),
    says: [
      `${at}[1].as: the member "x" is written by part "x" too`,
      `${at}[2].select: the member "x" is written by part "x" too`,
      `${at}[3].name: the member "errors" is written by errorsAs too`,
    ],
  },
  {
    name: 'an upstream that there is not',
    yaml: parts('name: x, rest: {‸upstream: b, path: /a}'),
    says: [`${at}[0].rest.upstream: there is no upstream "b"; did you mean "a"?`],
  },
  {
    name: 'a value that there is not, and a header that must not be set',
    yaml: parts(`name: x, rest: {upstream: a, ‸path: "/${v('part.x')}", headers: {‸Host: b, ‸X-A: "ä"}}`),
    says: [
      `${at}[0].rest.path: there is no value "part.x"; values are path.<variable>, query.<name>, header.<name>, claim.<name>, user.id, user.name, user.roles, user.scopes, user.consumer, request.id, request.method, request.path, request.host, request.scheme, client.address, route.id, trace.id`,
      `${at}[0].rest.headers.Host: "Host" is written by the gateway alone: backends rely on it`,
      `${at}[0].rest.headers.X-A: may have printable ASCII only`,
    ],
  },
  {
    name: 'a GET with a body',
    yaml: parts('name: x, rest: {upstream: a, path: /a, ‸body: {}}'),
    says: [`${at}[0].rest.body: GET has no body`],
  },
  {
    name: 'a value of a part that is not awaited',
    yaml: parts(`name: x, ${rest}`, `name: y, rest: {upstream: a, ‸path: "/${v('parts.x.id')}"}`),
    says: [`${at}[1].rest.path: the answer of "x" is not there yet: name it in dependsOn`],
  },
  {
    name: 'a variable of the path that there is not',
    yaml: parts(`name: x, rest: {upstream: a, path: /a, query: {‸q: "${v('path.name')}"}}`),
    says: [`${at}[0].rest.query.q: the path of this place has no variable "name"`],
  },
  {
    name: 'credentials made of values',
    yaml: parts(`name: x, rest: {upstream: a, path: /a, ‸headers: {Authorization: "${v('query.a')}"}}`),
    says: [
      `${at}[0].rest.headers: request header "Authorization": credentials are written out, never made of values`,
    ],
  },
  {
    name: 'a selection that is no way of keys',
    yaml: parts(`name: x, select: [a, ‸b..c], ${rest}`),
    says: [`${at}[0].select[1]: is no way of keys: write name, or address.city`],
  },
  {
    name: 'gRPC that is not configured',
    yaml: parts('name: x, ‸grpc: {method: one.One/Get}'),
    says: [`${at}[0].grpc: needs grpc, which is not configured`],
  },
  {
    name: 'GraphQL that is not configured',
    yaml: parts('name: x, ‸graphql: {operation: "{ a }"}'),
    says: [`${at}[0].graphql: needs graphql, which is not configured`],
  },
  {
    name: 'a service that there is not',
    yaml: grpc + parts('name: x, grpc: {‸method: one.Two/Get}'),
    says: [`${at}[0].grpc.method: there is no service "one.Two" under grpc.services (there are: one.One)`],
  },
  {
    name: 'a method that there is not',
    yaml: grpc + parts('name: x, grpc: {‸method: one.One/Set}'),
    says: [`${at}[0].grpc.method: one.One has no method "Set" (it has: Get, Watch, Raw)`],
  },
  {
    name: 'a stream',
    yaml: grpc + parts('name: x, grpc: {‸method: one.One/Watch}'),
    says: [`${at}[0].grpc.method: one.One/Watch is a stream, and parts are single calls`],
  },
  {
    name: 'bytes of any kind',
    yaml: grpc + parts('name: x, grpc: {‸method: one.One/Raw}'),
    says: [`${at}[0].grpc.method: Raw answers bytes of any kind, and parts are JSON`],
  },
  {
    name: 'a field that a message has not, in a list',
    yaml: grpc + parts('name: x, grpc: {method: one.One/Get, request: {id: 1, list: [{n: 1}, {‸m: 1}]}}'),
    says: [`${at}[0].grpc.request.list[1].m: one.Inner has no such field`],
  },
  {
    name: 'an operation that does not parse',
    yaml: runs('‸operation: "query { a("'),
    says: [`${of}.operation: line 1, column 11 of it: Syntax Error: Expected Name, found <EOF>.`],
  },
  {
    name: 'an operation that is not valid',
    yaml: runs('‸operation: "{ b }"'),
    says: [
      `${of}.operation: line 1, column 3 of it: Cannot query field "b" on type "Query". Did you mean "a"?`,
    ],
  },
  {
    name: 'an operation in a file',
    yaml: runs('‸operation: "file://set.graphql"'),
    says: [
      `${of}.operation: file://set.graphql line 2, column 3 of it: Cannot query field "nobody" on type "Query".`,
    ],
  },
  {
    name: 'an operation above the limits',
    yaml: runs(`‸operation: "{ all ${'{ b '.repeat(15)}{ id }${' }'.repeat(15)} }"`),
    says: [`${of}.operation: The operation has more levels than the limit of 15.`],
  },
  {
    name: 'introspection, where it is switched off',
    yaml: runs('‸operation: "{ __schema { types { name } } }"'),
    says: [
      `${of}.operation: line 1, column 3 of it: Introspection is switched off.; line 1, column 14 of it: Introspection is switched off.`,
    ],
  },
  {
    name: 'a subscription',
    yaml: runs('‸operation: "subscription { told { id } }"'),
    says: [`${of}.operation: subscriptions are not supported`],
  },
  {
    name: 'several operations and no name',
    yaml: runs('‸operation: "query A { all { id } } query B { all { id } }"'),
    says: [`${of}.operation: Say which operation to run by "operationName".`],
  },
  {
    name: 'a name that no operation has',
    yaml: runs('operation: "query A { all { id } }", ‸operationName: B'),
    says: [`${of}.operationName: There is no operation named "B".`],
  },
  {
    name: 'a mutation behind a GET',
    yaml: runs('‸operation: "mutation { set(id: 1) { id } }"', '[POST, GET]'),
    says: [`${of}.operation: a mutation is for routes whose methods are POST, PUT, PATCH, DELETE`],
  },
  {
    name: 'a mutation behind every method',
    yaml: runs('‸operation: "mutation { set(id: 1) { id } }"', '[]'),
    says: [`${of}.operation: a mutation is for routes whose methods are POST, PUT, PATCH, DELETE`],
  },
  {
    name: 'a variable that the operation needs',
    yaml: runs(`‸operation: ${query}`)
      .replace('‸operation', 'operation')
      .replace('{operation', '{‸variables: {}, operation'),
    says: [`${of}.variables: the operation needs $id, which is of type ID!`],
  },
  {
    name: 'a variable that the operation has not',
    yaml: runs(`operation: ${query}, variables: {id: "${v('path.id')}", ‸n: 1}`),
    says: [`${of}.variables.n: the operation declares no $n; it has $id`],
  },
  {
    name: 'a variable out of a value that there is not',
    yaml: runs(`operation: ${query}, variables: {‸id: "${v('path.name')}"}`),
    says: [`${of}.variables.id: the path of this place has no variable "name"`],
  },
  {
    name: 'a text that is no number',
    yaml: runs('operation: "query($n: Int) { a(id: 1, n: $n) { id } }", variables: {‸n: ten}'),
    says: [`${of}.variables.n: is no whole number of 32 bits`],
  },
  {
    name: 'a number that is not whole',
    yaml: runs('operation: "query($n: Int) { a(id: 1, n: $n) { id } }", variables: {‸n: 1.5}'),
    says: [`${of}.variables.n: Int cannot represent non-integer value: 1.5`],
  },
  {
    name: 'a text where an object is wanted',
    yaml: runs(`operation: "query($f: F) { a(id: 1, f: $f) { id } }", variables: {‸f: "${v('query.f')}"}`),
    says: [`${of}.variables.f: no text is a F: write an object, or a value of request.body`],
  },
  {
    name: 'an object without a field that is needed',
    yaml: runs('operation: "query($f: F) { a(id: 1, f: $f) { id } }", variables: {‸f: {max: 1}}'),
    says: [`${of}.variables.f: has no "word", which F needs`],
  },
  {
    name: 'an object with a field that there is not',
    yaml: runs('operation: "query($f: F) { a(id: 1, f: $f) { id } }", variables: {f: {word: a, ‸min: 1}}'),
    says: [`${of}.variables.f.min: F has no such field`],
  },
  {
    name: 'a list where none is wanted',
    yaml: runs('operation: "query($n: Int) { a(id: 1, n: $n) { id } }", variables: {‸n: [1]}'),
    says: [`${of}.variables.n: is a list, and the operation wants Int`],
  },
  {
    name: 'a way that the operation does not ask for',
    yaml: runs(`operation: ${query}, variables: {id: 1}, ‸at: a.c`),
    says: [`${of}.at: the operation asks for no "c" there`],
  },
  {
    name: 'a way into a list',
    yaml: runs('operation: "{ ...F } fragment F on Query { x: all { id } }", ‸at: x.id'),
    says: [`${of}.at: "x" is a list, which nothing is looked up in`],
  },
  {
    name: 'a rewrite of an operation, which has no path',
    yaml: runs('operation: "{ all { id } }"').concat('    ‸rewrite: {path: /b}\n'),
    says: ['routes[0].rewrite: is for routes with an upstream'],
  },
]

testMistakes(cases, files)
