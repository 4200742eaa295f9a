import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../../src/core/error.ts'
import { extensionsFor } from '../../../src/front-ends/graphql/errors.ts'
import { operationFailures } from '../../../src/front-ends/graphql/operation-failures.ts'

test('what a call failed with is the failure itself, with its cause for the log', () => {
  const fault = new GatewayError('UPSTREAM_REFUSED', 'It is not there.', { cause: new Error('ECONNREFUSED') })
  const other = new GatewayError('UPSTREAM_RESET', 'It is not there.')
  const extensions = { ...extensionsFor('UPSTREAM_REFUSED') }
  const [first] = operationFailures(
    [{ message: 'It is not there.', path: ['users', 0, 'name'], extensions }],
    [other, fault],
  )
  assert.equal(first?.error, fault)
  assert.equal(first?.path, 'users.0.name')
})

test('an error that nobody knows is one of the gateway', () => {
  const [first] = operationFailures([{ message: 'What?' }], [])
  assert.deepEqual([first?.error.reason, first?.path], ['INTERNAL', undefined])
})
