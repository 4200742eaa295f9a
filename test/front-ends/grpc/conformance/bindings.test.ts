import { test } from 'node:test'
import { type Case, runCases } from './cases.ts'
import { startWorld } from './world.ts'

const choice: readonly Case[] = [
  {
    rule: 'http.proto: Verb = ":" LITERAL',
    ask: 'POST /single/a:cancel',
    method: 'Verb',
    request: { text: 'a' },
  },
  {
    rule: 'http.proto: %3A is no verb',
    ask: 'GET /single/a%3Acancel',
    method: 'Single',
    request: { text: 'a:cancel' },
  },
  {
    rule: 'a known verb of another method belongs to the ID',
    ask: 'GET /single/a:cancel',
    method: 'Single',
    request: { text: 'a:cancel' },
  },
  {
    rule: 'a verb behind an ID with colons',
    ask: 'POST /single/urn:isbn:1:cancel',
    method: 'Verb',
    request: { text: 'urn:isbn:1' },
  },
  {
    rule: 'grpc-gateway: a literal beats a variable',
    ask: 'GET /pick/special',
    method: 'PickLiteral',
    request: {},
  },
  {
    rule: 'a variable takes the rest',
    ask: 'GET /pick/other',
    method: 'PickVariable',
    request: { text: 'other' },
  },
  {
    rule: 'backtracking from the literal to the variable',
    ask: 'GET /pick/special/other',
    method: 'PickVariable',
    request: { text: 'special' },
  },
  {
    rule: 'backtracking from the literal to **',
    ask: 'GET /pick/special/third',
    method: 'PickOpen',
    request: { text: 'special/third' },
  },
  { rule: 'a longer literal', ask: 'GET /pick/special/deep', method: 'PickLiteral' },
  {
    rule: 'http.proto: additional_bindings',
    ask: 'GET /several/7/by-number',
    method: 'Several',
    request: { int32: 7 },
  },
  {
    rule: 'http.proto: post',
    ask: 'POST /several',
    body: { text: 'a' },
    method: 'Several',
    request: { text: 'a' },
  },
  {
    rule: 'http.proto: put',
    ask: 'PUT /several/a',
    body: { text: 'b' },
    request: { text: 'a', child: { text: 'b' } },
  },
  {
    rule: 'http.proto: patch',
    ask: 'PATCH /several/a',
    body: { text: 'b' },
    request: { text: 'a', child: { text: 'b' } },
  },
  { rule: 'http.proto: delete', ask: 'DELETE /several/a', request: { text: 'a' } },
  {
    rule: 'RFC 9110 15.5.6: 405 with Allow',
    ask: 'POST /several/a',
    status: 405,
    method: 'none',
    has: { allow: 'DELETE, GET, HEAD, PATCH, PUT' },
  },
  {
    rule: 'RFC 9110 9.3.2: HEAD is GET without a body',
    ask: 'HEAD /single/a',
    method: 'Single',
    request: { text: 'a' },
  },
  { rule: 'http.proto: custom kind HEAD', ask: 'HEAD /custom/a', method: 'Head' },
  { rule: 'http.proto: custom kind of any word', ask: 'PURGE /custom/a', method: 'Purge' },
  {
    rule: 'http.proto: custom kind, and no other',
    ask: 'GET /custom/a',
    status: 405,
    has: { allow: 'HEAD, PURGE' },
  },
  {
    rule: 'http.proto: custom kind "*"',
    ask: 'POST /any/a',
    body: { text: 'b' },
    method: 'Any',
    request: { text: 'a', child: { text: 'b' } },
  },
  { rule: 'http.proto: custom kind "*"', ask: 'DELETE /any/a', method: 'Any', request: { text: 'a' } },
  { rule: 'a method of its own before "*"', ask: 'GET /any/a', method: 'AnyGet', request: { text: 'a' } },
  { rule: 'a trailing slash is no segment', ask: 'GET /single/a/', request: { text: 'a' } },
  { rule: 'an empty segment is none', ask: 'GET /single//', status: 400, method: 'none' },
  {
    rule: 'unannotated is off by default: the path is for calls of gRPC only',
    ask: `POST /conformance.v1.Rules/Unannotated`,
    body: {},
    status: 415,
    method: 'none',
  },
]

test('bindings: which of them takes a request', async (t) => runCases(t, await startWorld(t), choice))

test('bindings: methods without an annotation, where the service says so', async (t) => {
  const path = '/conformance.v1.Rules/Unannotated'
  await runCases(t, await startWorld(t, { unannotated: true }), [
    {
      rule: 'grpc-gateway generate_unbound_methods',
      ask: `POST ${path}`,
      body: { text: 'a' },
      method: 'Unannotated',
      request: { text: 'a' },
      reply: { text: 'a' },
    },
    { rule: 'body "*": no parameters', ask: `POST ${path}?text=a`, body: {}, status: 400, says: /"text"/ },
    { rule: 'by POST only', ask: `GET ${path}`, status: 405, has: { allow: 'POST' }, method: 'none' },
    {
      rule: 'not in place of an annotation',
      ask: 'POST /conformance.v1.Rules/Single',
      body: {},
      status: 415,
    },
    { rule: 'beside annotations', ask: 'GET /single/a', method: 'Single' },
  ])
})
