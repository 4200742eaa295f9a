import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { ensureProgram } from '../services/programs.ts'
import { type Dashboard, dashboards, grafana, type Panel, queriesOf, withVariables } from './dashboards.ts'

const columns = 24
const ofVariable = /^\$\{datasource\}$/

for (const dashboard of dashboards) {
  const { title, panels } = dashboard
  const shown = panels.filter(({ type }) => type !== 'row')

  test(`${title}: no two panels have one id`, () => {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  })

  test(`${title}: panels lie beside each other, none over another or beyond the edge`, () => {
    const taken = new Map<string, string>()
    for (const { title: name, gridPos } of panels) {
      const { x, y, w, h } = gridPos
      assert.ok(x >= 0 && x + w <= columns, name)
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          assert.equal(taken.get(`${column},${line}`), undefined, `${name} lies over another`)
          taken.set(`${column},${line}`, name)
        }
      }
    }
  })

  test(`${title}: every panel says what it shows, in which unit, of which data source`, () => {
    for (const { title: name, description = '', fieldConfig, datasource, targets = [] } of shown) {
      assert.match(description, /^[A-Z0-9].*\.$/, name)
      assert.notEqual(fieldConfig?.defaults.unit, undefined, name)
      assert.match(datasource?.uid ?? '', ofVariable, name)
      assert.ok(targets.length > 0, name)
      for (const target of targets) assert.match(target.datasource.uid, ofVariable, name)
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, name)
    }
  })

  test(`${title}: lines that stand beside each other have a name`, () => {
    for (const { type, title: name, targets = [] } of shown) {
      if (type === 'stat' || type === 'table') continue
      for (const { legendFormat } of targets) assert.notEqual(legendFormat, '', name)
    }
  })

  test(`${title}: every variable is declared, and every one that is declared is used`, () => {
    const declared = dashboard.templating.list.map(({ name }) => name)
    const used = new Set(variablesOf(dashboard))
    assert.deepEqual([...used].sort(), [...declared].sort())
  })

  test(`${title}: links lead to dashboards that are there`, () => {
    for (const { url } of dashboard.links)
      assert.ok(
        dashboards.some(({ uid }) => url === `/d/${uid}`),
        url,
      )
  })
}

test('every expression is one that Prometheus can read', async () => {
  const promtool = await ensureProgram('promtool')
  const folder = await mkdtemp(join(tmpdir(), 'trivium-dashboards-'))
  try {
    // As rules, which promtool parses; JSON is YAML.
    const all = dashboards.flatMap((dashboard) => [
      ...queriesOf(dashboard).map(({ expr }) => expr),
      ...dashboard.annotations.list.map(({ expr }) => withVariables(expr)),
    ])
    const rules = all.map((expr, i) => ({ record: `expression:${i}`, expr }))
    await writeFile(`${folder}/rules.yml`, JSON.stringify({ groups: [{ name: 'all', rules }] }))
    await promisify(execFile)(promtool, ['check', 'rules', `${folder}/rules.yml`])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('Grafana is told where Prometheus and the dashboards are', () => {
  const read = (path: string) => parse(readFileSync(`${grafana}/provisioning/${path}`, 'utf8'))
  const { datasources } = read('datasources/prometheus.yml')
  assert.equal(datasources.length, 1)
  assert.equal(datasources[0].type, 'prometheus')
  const { scrape_interval } = parse(readFileSync(`${grafana}/../prometheus/prometheus.yml`, 'utf8')).global
  assert.equal(datasources[0].jsonData.timeInterval, scrape_interval)
  const { providers } = read('dashboards/trivium.yml')
  assert.equal(providers[0].options.path, '/var/lib/grafana/dashboards')
  assert.equal(new Set(dashboards.map(({ uid }) => uid)).size, dashboards.length)
})

function variablesOf({ panels, templating, annotations }: Dashboard): string[] {
  const texts = [
    ...panels.flatMap(({ targets = [] }: Panel) => targets.map(({ expr }) => expr)),
    ...panels.map(({ datasource }) => datasource?.uid ?? ''),
    ...templating.list.map(({ definition = '' }) => definition),
    ...annotations.list.map(({ expr }) => expr),
  ]
  return texts.flatMap((text) => [...text.matchAll(/\$\{?([a-z]+)\}?/g)].map(([, name = '']) => name))
}
