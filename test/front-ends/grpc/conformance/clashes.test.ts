import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startGateway } from '../../../world.ts'

/** Two methods with a rule each. */
const proto = (first: string, second: string): string => `syntax = "proto3"; package a;
import "google/api/annotations.proto";
message M { string text = 1; string other = 2; }
service S {
  rpc One(M) returns (M) { option (google.api.http) = { ${first} }; }
  rpc Two(M) returns (M) { option (google.api.http) = { ${second} }; }
  rpc Three(M) returns (M);
}`

const clashes: readonly (readonly [name: string, first: string, second: string, message: RegExp])[] = [
  [
    'the same path',
    'get: "/v1/x"',
    'get: "/v1/x"',
    /"\/v1\/x" \(GET\) of .*a\.S\.Two clashes with "\/v1\/x" of .*a\.S\.One/,
  ],
  [
    'variables of other names',
    'get: "/v1/{text}"',
    'get: "/v1/{other=*}"',
    /"\/v1\/\{other=\*\}".*a\.S\.Two.*"\/v1\/\{text\}".*a\.S\.One/,
  ],
  [
    'an additional binding',
    'get: "/v1/x" additional_bindings { post: "/v1/y" }',
    'post: "/v1/y"',
    /"\/v1\/y" \(POST\).*a\.S\.Two.*a\.S\.One/,
  ],
  [
    'one method with itself',
    'get: "/v1/x" additional_bindings { get: "/v1/x" }',
    'get: "/v1/z"',
    /a\.S\.One clashes with .*a\.S\.One/,
  ],
  ['the same verb', 'post: "/v1/{text}:go"', 'post: "/v1/{other}:go"', /a\.S\.Two.*a\.S\.One/],
  ['the same **', 'get: "/v1/{text=**}"', 'get: "/v1/{other=**}"', /a\.S\.Two.*a\.S\.One/],
  ['the same after **', 'get: "/v1/{text=**}/x"', 'get: "/v1/{other=**}/x"', /a\.S\.Two.*a\.S\.One/],
  [
    'a method without annotation',
    'post: "/a.S/Three"',
    'get: "/v1/z"',
    /"\/a\.S\/Three" \(POST\).*a\.S\.Three.*a\.S\.One/,
  ],
]
for (const [name, first, second, message] of clashes) {
  test(`bindings that clash by ${name} are a configuration error naming both`, async (t) => {
    await assert.rejects(gatewayOf(t, proto(first, second)), (error: Error) => {
      assert.match(error.message, message)
      assert.match(error.message, /grpc\.services\.a\.S/)
      return true
    })
  })
}

for (const [name, first, second] of [
  ['other methods', 'get: "/v1/x"', 'post: "/v1/x"'],
  ['other verbs', 'post: "/v1/{text}:go"', 'post: "/v1/{text}:stop"'],
  ['a literal and a variable', 'get: "/v1/{text}"', 'get: "/v1/x"'],
  ['* and a method', 'custom { kind: "*" path: "/v1/x" }', 'get: "/v1/x"'],
  ['** and **/x', 'get: "/v1/{text=**}"', 'get: "/v1/{text=**}/x"'],
] as const) {
  test(`bindings that differ by ${name} do not clash`, async (t) => {
    await gatewayOf(t, proto(first, second))
  })
}

async function gatewayOf(t: Parameters<typeof startGateway>[0], source: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'trivium-clash-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a.proto')
  writeFileSync(file, source)
  await startGateway(t, {
    upstreams: { a: { targets: [{ url: 'http://127.0.0.1:1' }] } },
    grpc: {
      protos: [file],
      includeDirs: [folder],
      services: { 'a.S': { upstream: 'a', auth: 'none', unannotated: true } },
    },
  })
}
