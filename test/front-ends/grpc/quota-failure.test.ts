import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../../src/core/error.ts'
import type { HttpExchange } from '../../../src/core/http-exchange.ts'
import { statusDetails } from '../../../src/front-ends/grpc/native/status-bytes.ts'
import { decodeDetails, statusOfError } from '../../../src/front-ends/grpc/rpc-status.ts'
import { exchange } from '../../plugins/harness.ts'
import { descriptors } from './connect/connect-world.ts'

// google/rpc/error_details.proto: QuotaFailure says which check failed, RetryInfo when to come again.
test('a used up quota is a QuotaFailure, in JSON and in bytes alike', () => {
  const x = exchange() as unknown as HttpExchange
  const error = new GatewayError('QUOTA_EXCEEDED', 'The quota "month" is used up.', { retryAfterMs: 60_000 })
  const json = statusOfError(x, error).details
  assert.deepEqual(
    json.map((detail) => (detail as { '@type': string })['@type'].split('.').at(-1)),
    ['ErrorInfo', 'QuotaFailure', 'RetryInfo'],
  )
  assert.deepEqual(
    decodeDetails(statusDetails(x, error), descriptors.registry).map((detail) => detail.json),
    json,
  )
})
