import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { ensureProgram } from '../services/programs.ts'
import { type Prometheus, startPrometheus } from '../services/prometheus.ts'
import { dashboards, queriesOf } from './dashboards.ts'
import { loadedGateway } from './loaded-gateway.ts'

const folder = fileURLToPath(new URL('../../deploy/prometheus', import.meta.url))
const giveUpMs = 60_000

/** Metrics that this gateway rightly has no series of, and why. An expression over one of these may give nothing. */
const absent: Readonly<Record<string, string>> = {
  gateway_request_log_entries_total: 'no request log',
  gateway_request_log_dropped_total: 'no request log',
  gateway_request_log_pending: 'no request log',
  gateway_audit_waiting: 'no audit log',
  gateway_audit_dropped_total: 'no audit log',
  gateway_tracing_spans_total: 'no tracing',
}

test('a real Prometheus gets a value for every expression of the dashboards and the rules', async (t) => {
  const gateway = await loadedGateway(t)
  const prometheus = await startPrometheus(shippedConfig(new URL(gateway.url).host))
  t.after(() => prometheus.stop())
  const empty = new Map(
    [...dashboards.flatMap(queriesOf), ...ruleOperands()].map((one) => [one.place, one.expr]),
  )
  assert.ok(empty.size > 100)
  const until = performance.now() + giveUpMs
  // Rates want two scrapes of a series that moves.
  const quiet = new Set(['GatewayErrorRateHigh', 'GatewayCircuitOpen', 'GatewayTargetDown'])
  while (
    ([...empty.values()].some((expr) => !isAbsent(expr)) || quiet.size > 0) &&
    performance.now() < until
  ) {
    await gateway.round()
    for (const { name, state } of await rulesOf(prometheus)) if (state === 'pending') quiet.delete(name)
    for (const [place, expr] of empty) if ((await prometheus.query(expr)).length > 0) empty.delete(place)
    await sleep(100)
  }
  const unexplained = [...empty].filter(([, expr]) => !isAbsent(expr))
  assert.deepEqual(unexplained, [], 'expressions without a value')
  assert.deepEqual([...quiet], [], 'alerts that should be on their way')
  for (const { name, health, lastError } of await rulesOf(prometheus))
    assert.equal(health, 'ok', `${name}: ${lastError}`)
  const text = await (await fetch(`${gateway.url}/metrics`)).text()
  t.diagnostic(`${text.split('\n').length} lines, ${text.length} bytes`)
  await textIsWell(text)
  namesAreTheDocumented(text)
})

/** The shipped configuration, with one gateway and no patience. */
function shippedConfig(target: string): object {
  const shipped = parse(readFileSync(`${folder}/prometheus.yml`, 'utf8'))
  return {
    ...shipped,
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
    rule_files: shipped.rule_files.map((glob: string) => `${folder}/${glob}`),
    scrape_configs: shipped.scrape_configs
      .filter(({ job_name }: { job_name: string }) => job_name === 'gateway')
      .map((scrape: object) => ({ ...scrape, static_configs: [{ targets: [target] }] })),
  }
}

/** What rules record, and the metrics that alerts look at: an alert that is quiet gives nothing, and rightly. */
function ruleOperands(): readonly { readonly place: string; readonly expr: string }[] {
  return ['recording', 'alerts'].flatMap((name) => {
    const { groups } = parse(readFileSync(`${folder}/rules/${name}.yml`, 'utf8')) as RuleFile
    return groups.flatMap(({ rules }) =>
      rules.flatMap(({ record, alert, expr }) => {
        if (record !== undefined) return { place: record, expr: record }
        return [...expr.matchAll(operand)].map(([of]) => ({ place: `${alert}: ${of}`, expr: of }))
      }),
    )
  })
}

const operand = /\b(?:gateway_\w+|nodejs_\w+|process_\w+|up|(?:job|route|upstream):[\w:]+)\b(?:\{[^}]*\})?/g

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly record?: string; readonly alert?: string; readonly expr: string }[]
  }[]
}

function isAbsent(expr: string): boolean {
  return Object.keys(absent).some((metric) => new RegExp(`\\b${metric}\\b`).test(expr))
}

interface EvaluatedRule {
  readonly name: string
  readonly health: string
  readonly lastError?: string
  /** Of alerts. */
  readonly state?: 'inactive' | 'pending' | 'firing'
}

async function rulesOf(prometheus: Prometheus): Promise<readonly EvaluatedRule[]> {
  const { groups } = (await prometheus.get('/api/v1/rules')) as { groups: { rules: EvaluatedRule[] }[] }
  return groups.flatMap((group) => group.rules)
}

/** `promtool check metrics` finds nothing in what a scrape gets. */
async function textIsWell(text: string): Promise<void> {
  const child = execFile(await ensureProgram('promtool'), ['check', 'metrics'])
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece) => (said += String(piece)))
  child.stdin?.end(text)
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.deepEqual({ code, said }, { code: 0, said: '' })
}

/** docs/conventions.md names every metric, and none that is not there. */
function namesAreTheDocumented(text: string): void {
  const page = readFileSync(fileURLToPath(new URL('../../docs/conventions.md', import.meta.url)), 'utf8')
  const section = page.slice(page.indexOf('## Metrics'), page.indexOf('## Log line'))
  const documented = [...section.matchAll(/`(gateway_\w+)`/g)].map(([, name = '']) => name)
  const shown = [...text.matchAll(/^# TYPE (gateway_\w+)/gm)].map(([, name = '']) => name)
  const sorted = (names: readonly string[]): string[] =>
    [...new Set(names)].filter((name) => !(name in absent)).sort()
  assert.deepEqual(sorted(shown), sorted(documented))
}
