import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gauge, Registry } from 'prom-client'
import { MetricsText } from '../src/metrics-text.ts'
import { counter, gauge, histogram } from '../src/plugins/instruments.ts'

function filled(): Registry {
  const registry = new Registry()
  const registers = [registry]
  new Gauge({ name: 'plain', help: 'One of prom-client.', labelNames: ['a'], registers }).set({ a: 'x' }, 2)
  const requests = counter(registry, {
    name: 'requests_total',
    help: 'Some.',
    labelNames: ['route', 'status'],
  })
  for (const [i, route] of ['users', 'a"b\nc\\d', ''].entries()) requests.labels(route, '200').value += i
  gauge(registry, { name: 'alone', help: 'Without labels.', labelNames: [] }).labels().value = 0.25
  counter(registry, { name: 'unused_total', help: 'Without children.', labelNames: ['b'] })
  const spec = { name: 'seconds', help: 'Time.', labelNames: ['route'] }
  const times = histogram(registry, spec, [0.001, 0.5, 10])
  for (const value of [0.0001, 0.3, 0.3, 60]) times.labels('users').observe(value)
  const bare = histogram(registry, { ...spec, name: 'bare_seconds', labelNames: [] }, [1])
  bare.labels().observe(1e-7)
  return registry
}

test('what is put together piece by piece is what prom-client would write', async () => {
  const registry = filled()
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .sort()
  const text = await new MetricsText(registry).text()
  assert.deepEqual(lines(text), lines(await registry.metrics()))
  assert.ok(text.endsWith('\n'))
})

test('those who ask at the same time get one text, those who come later a new one', async () => {
  const registry = filled()
  const metrics = new MetricsText(registry)
  const [first, second] = [metrics.text(), metrics.text()]
  assert.equal(first, second)
  await first
  gauge(registry, { name: 'alone', help: '', labelNames: [] }).labels().value = 7
  assert.match(await metrics.text(), /^alone 7$/m)
})

test('other work has its turns while a large text is put together', async () => {
  const registry = new Registry()
  const many = histogram(registry, { name: 'many_seconds', help: 'Many.', labelNames: ['route'] }, [1, 2, 3])
  for (let i = 0; i < 1_000; i++) many.labels(`route ${i}`).observe(1)
  let turns = 0
  const ticking = setInterval(() => {}, 1_000)
  const count = (): void => {
    turns++
    immediate = setImmediate(count)
  }
  let immediate = setImmediate(count)
  await new MetricsText(registry).text()
  clearImmediate(immediate)
  clearInterval(ticking)
  assert.ok(turns >= 8, `${turns} turns`)
})
