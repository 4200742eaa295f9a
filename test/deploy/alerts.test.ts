import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { ensureProgram } from '../services/programs.ts'
import { type AlertCase, alertCases } from './alert-cases.ts'

const folder = fileURLToPath(new URL('../../deploy/prometheus', import.meta.url))
const ruleFiles = ['recording.yml', 'alerts.yml'].map((name) => `${folder}/rules/${name}`)
const promtool = await ensureProgram('promtool')
const [recorded = [], alerts = []] = ruleFiles.map((file) =>
  (parse(readFileSync(file, 'utf8')) as RuleFile).groups.flatMap(({ rules }) => rules),
)

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly Alert[] }[]
}

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook_url', string>>
}

test('the configuration of Prometheus is one, and so are its rules', async () => {
  await check('config', `${folder}/prometheus.yml`)
  await check('rules', '--lint=all', '--lint-fatal', ...ruleFiles)
})

test('every alert says how bad it is, what it is about and where to read on', () => {
  for (const { alert, labels, annotations } of alerts) {
    assert.ok(['critical', 'warning'].includes(labels.severity), alert)
    assert.doesNotMatch(annotations.summary, /\{\{/, alert)
    assert.equal(annotations.runbook_url, `docs/operations.md#${alert.toLowerCase()}`)
  }
})

test('every alert has a case in which it fires, and one in which it does not', () => {
  assert.deepEqual(new Set(alertCases.map(({ alert }) => alert)), new Set(alerts.map(({ alert }) => alert)))
  for (const { alert, quiet } of alertCases) assert.ok(Object.keys(quiet).length > 0, alert)
})

const groups = alertCases.map(({ alert, fires, quiet }) => ({
  alert,
  tests: [
    group(`${alert} fires: ${fires.description}`, {
      ...fires,
      expected: { eval_time: fires.at, alertname: alert, exp_alerts: [firing(alert, fires)] },
    }),
    ...Object.entries(quiet).map(([why, when]) =>
      group(`${alert} is quiet: ${why}`, {
        ...when,
        expected: { eval_time: when.at, alertname: alert, exp_alerts: [] },
      }),
    ),
  ],
}))
const names = groups.flatMap(({ tests }) => tests.map(({ name }) => name))
let failures: Promise<string> | undefined

for (const name of names) {
  test(name, async () => {
    failures ??= runGroups()
    const said = await failures
    assert.ok(!said.includes(name), said)
  })
}

/** A value a minute for each series. */
function group(
  name: string,
  { series, expected }: { readonly series: Readonly<Record<string, string>>; readonly expected: object },
) {
  const input = Object.entries(series).map(([of, values]) => ({ series: of, values }))
  return { name, interval: '1m', input_series: input, alert_rule_test: [expected] }
}

function firing(alert: string, { labels, description }: AlertCase['fires']): object {
  const rule = ruleOf(alert)
  return {
    exp_labels: { ...labels, severity: rule.labels.severity },
    exp_annotations: { ...rule.annotations, description },
  }
}

function ruleOf(alert: string): Alert {
  const rule = alerts.find((one) => one.alert === alert)
  if (rule === undefined) throw new Error(`there is no alert ${alert}`)
  return rule
}

/** All by one promtool, each alert with no other rules than those that it needs; what it says of groups that failed, which it names. */
async function runGroups(): Promise<string> {
  const own = await mkdtemp(join(tmpdir(), 'trivium-alerts-'))
  try {
    const files = groups.map(async ({ alert, tests }, i) => {
      const rule = ruleOf(alert)
      const needed = /\b(?:job|route):/.test(rule.expr) ? [...recorded, rule] : [rule]
      // JSON is YAML.
      const rules = JSON.stringify({ groups: [{ name: 'rules', rules: needed }] })
      await writeFile(`${own}/rules-${i}.yml`, rules)
      const file = `${own}/test-${i}.yml`
      const unitTests = { rule_files: [`${own}/rules-${i}.yml`], evaluation_interval: '1m', tests }
      await writeFile(file, JSON.stringify(unitTests))
      return file
    })
    const { ok, text } = await promtoolSays(['test', 'rules', ...(await Promise.all(files))])
    if (!ok && !names.some((name) => text.includes(name))) throw new Error(text)
    return text
  } finally {
    await rm(own, { recursive: true })
  }
}

async function check(...args: readonly string[]): Promise<void> {
  const { ok, text } = await promtoolSays(['check', ...args])
  assert.ok(ok, text)
}

async function promtoolSays(
  args: readonly string[],
): Promise<{ readonly ok: boolean; readonly text: string }> {
  try {
    await promisify(execFile)(promtool, [...args])
    return { ok: true, text: '' }
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return { ok: false, text: `${stdout}${stderr}` }
  }
}
