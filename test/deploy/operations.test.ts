import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'

interface Rule {
  readonly alert?: string
  readonly labels?: { readonly severity: string }
  readonly annotations?: { readonly runbook_url: string }
}

const root = resolve(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8')
const rules = globSync('deploy/prometheus/rules/*.yml', { cwd: root })
  .flatMap(
    (file) => (parse(readFileSync(join(root, file), 'utf8')) as { groups: { rules: Rule[] }[] }).groups,
  )
  .flatMap((group) => group.rules)
  .filter(({ alert }) => alert !== undefined)

/** What stands under the heading of each alert. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n') + 1)]),
)

test('every alert is explained, and no alert that there is not', () => {
  assert.ok(rules.length > 20)
  assert.deepEqual([...sections.keys()].sort(), rules.map(({ alert }) => alert).sort())
})

for (const { alert = '', labels, annotations } of rules) {
  test(`${alert}: its page says how bad it is, what to look at and what to do, and the alert leads there`, () => {
    const section = sections.get(alert) ?? ''
    assert.equal(section.split('.')[0], labels?.severity)
    assert.match(section, /\*\*Look(, do)?:\*\*/)
    assert.match(section, /\*\*(Do|Look, do):\*\*/)
    assert.equal(annotations?.runbook_url, `docs/operations.md#${alert.toLowerCase()}`)
  })
}

test('metrics that are named are those that there are', () => {
  const known = [
    'docs/conventions.md',
    'deploy/prometheus/rules/recording.yml',
    'deploy/prometheus/rules/alerts.yml',
  ]
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  for (const [name] of page.matchAll(/\b(?:\w+:)?gateway_[a-z_]+(?::\w+)?/g)) {
    const base = name.replace(/_(count|sum|bucket)$/, '')
    assert.ok(known.includes(base), name)
  }
})

test('reasons that troubleshooting names are those that there are', () => {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8')
  const text = read('docs/troubleshooting.md')
  const known = ['docs/errors.md', 'gateway.yaml', 'docker-compose.yml'].map(read).join('\n')
  const names = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name = '']) => name)
  assert.ok(names.length > 15)
  assert.deepEqual(
    names.filter((name) => !known.includes(name)),
    [],
  )
})
