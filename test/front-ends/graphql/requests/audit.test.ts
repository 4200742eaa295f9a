import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditServer } from 'graphql-http'
import { startShop } from './shop.ts'

// Introspection is on because the audit tries variables with it.
test('passes the whole audit of GraphQL over HTTP, protected against forged requests', async (t) => {
  const { endpoint } = await startShop(t, { introspection: true })
  const headers = { 'sec-fetch-site': 'cross-site' }
  const forged = await fetch(`${endpoint}?query={__typename}`, { headers })
  assert.equal(forged.status, 400)
  const results = await auditServer({ url: endpoint })
  const failed = results.flatMap((one) =>
    one.status === 'ok' ? [] : [`${one.id} ${one.name}: ${one.reason}`],
  )
  assert.deepEqual(failed, [])
  assert.equal(results.length, 61)
})
