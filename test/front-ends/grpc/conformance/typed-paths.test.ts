import { test } from 'node:test'
import { type Case, runCases } from './cases.ts'
import { startWorld } from './world.ts'

const typed: readonly Case[] = [
  { rule: 'ProtoJSON: int32', ask: 'GET /typed/int32/-7', request: { int32: -7 } },
  {
    rule: 'ProtoJSON: int32 has 32 bits',
    ask: 'GET /typed/int32/2147483648',
    status: 400,
    method: 'none',
    says: /"int32"/,
  },
  { rule: 'ProtoJSON: an integer', ask: 'GET /typed/int32/1.5', status: 400, says: /"int32"/ },
  {
    rule: 'ProtoJSON: int64 is exact',
    ask: 'GET /typed/int64/9223372036854775807',
    request: { int64: '9223372036854775807' },
  },
  {
    rule: 'ProtoJSON: int64 has 64 bits',
    ask: 'GET /typed/int64/9223372036854775808',
    status: 400,
    says: /"int64"/,
  },
  {
    rule: 'ProtoJSON: uint64',
    ask: 'GET /typed/uint64/18446744073709551615',
    request: { uint64: '18446744073709551615' },
  },
  { rule: 'ProtoJSON: uint64 has no sign', ask: 'GET /typed/uint64/-1', status: 400 },
  { rule: 'ProtoJSON: double', ask: 'GET /typed/double/-1.5e3', request: { double: -1500 } },
  { rule: 'ProtoJSON: bool', ask: 'GET /typed/flag/true', request: { flag: true } },
  {
    rule: 'ProtoJSON: bool is true or false',
    ask: 'GET /typed/flag/1',
    status: 400,
    says: /"flag".*true or false/,
  },
  { rule: 'ProtoJSON: enum by name', ask: 'GET /typed/color/GREEN', request: { color: 'GREEN' } },
  { rule: 'ProtoJSON: enum by number', ask: 'GET /typed/color/2', request: { color: 'GREEN' } },
  { rule: 'ProtoJSON: an unknown name', ask: 'GET /typed/color/BLUE', status: 400, says: /"color"/ },
  { rule: 'ProtoJSON: bytes in base64url', ask: 'GET /typed/data/_-8', request: { data: '/+8=' } },
  {
    rule: 'ProtoJSON: bytes in base64, %2F included',
    ask: 'GET /typed/data/%2F+8=',
    request: { data: '/+8=' },
  },
  {
    rule: 'ProtoJSON: Timestamp',
    ask: 'GET /typed/at/1970-01-01T00:00:01Z',
    request: { at: { seconds: '1' } },
  },
  { rule: 'ProtoJSON: Timestamp that is none', ask: 'GET /typed/at/yesterday', status: 400, says: /"at"/ },
  { rule: 'ProtoJSON: a wrapper', ask: 'GET /typed/wrapped/0', request: { wrapped: {} } },
  { rule: 'a member of a oneof', ask: 'GET /typed/left/a', request: { left: 'a' } },
]

test('paths: variables of every type', async (t) => runCases(t, await startWorld(t), typed))
