import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { startGateway } from '../world.ts'
import { doors } from './door.ts'

const propagator = new W3CTraceContextPropagator()

describe('the trace of an OpenTelemetry client', () => {
  for (const door of doors) {
    test(`goes on behind the ${door.name} door, under a span of the gateway`, async (t) => {
      const backend = await door.start(t)
      const { url } = await startGateway(t, { plugins: ['requestId'], ...backend.config({ auth: 'none' }) })
      const client = {
        traceId: 'd4cda95b652f4a1592b449d5929fda1b',
        spanId: '6e0c63257de34c92',
        traceFlags: TraceFlags.SAMPLED,
      }
      const headers: Record<string, string> = {}
      propagator.inject(trace.setSpanContext(ROOT_CONTEXT, client), headers, defaultTextMapSetter)
      assert.ok(headers.traceparent)
      assert.equal((await backend.ask(url, headers)).status, 200)

      const seen = propagator.extract(ROOT_CONTEXT, { ...backend.seen[0] }, defaultTextMapGetter)
      const server = trace.getSpanContext(seen)
      assert.equal(server?.traceId, client.traceId)
      assert.equal(server?.traceFlags, TraceFlags.SAMPLED)
      assert.notEqual(server?.spanId, client.spanId)
      assert.equal(server?.isRemote, true)
    })
  }
})
