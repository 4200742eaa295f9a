import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../../src/config/problem.ts'
import { silentLog } from '../../src/core/log.ts'
import { createGateway } from '../../src/gateway.ts'
import { folderOf } from './files.ts'

/** A configuration that is refused. */
export interface MistakeCase {
  readonly name: string
  /** The configuration, with `‸` at each place that a mistake must point at. */
  readonly yaml: string
  /** What is said of each place, after file, line and column. */
  readonly says: readonly string[]
}

/** A test for each case; `files` are beside the configuration. */
export function testMistakes(cases: readonly MistakeCase[], files: Readonly<Record<string, string>>): void {
  for (const { name, yaml, says } of cases) {
    test(`points at ${name}`, async (t) => {
      const places = [...yaml.matchAll(/‸/g)].map(({ index }) =>
        placeOf(yaml.slice(0, index).replaceAll('‸', '')),
      )
      assert.equal(places.length, says.length)
      const inFolder = folderOf(t, { ...files, 'gateway.yaml': yaml.replaceAll('‸', '') })
      const file = inFolder('gateway.yaml')
      const folder = inFolder('').replace(/\/$/, '')
      await assert.rejects(
        createGateway({ file, watch: false, offline: true, log: silentLog, environment: { EMPTY: '' } }),
        (error) => {
          assert.ok(error instanceof ConfigError, String(error))
          const said = error.message
            .split('\n')
            .map((line) => line.replace(/^\S*\/gateway\.yaml:/, '').replaceAll(folder, 'FOLDER'))
          assert.deepEqual(
            said,
            says.map((text, i) => `${places[i]}: ${text}`),
          )
          return true
        },
      )
    })
  }
}

function placeOf(before: string): string {
  const lines = before.split('\n')
  return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`
}
