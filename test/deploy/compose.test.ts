import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { ensureProgram } from '../services/programs.ts'

interface Service {
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

const root = resolve(import.meta.dirname, '../..')
const backends = 'users-v1 users-v2 orders-a orders-b accounts products reviews library'.split(' ')
let services: Readonly<Record<string, Service>> = {}

async function compose(...args: readonly string[]): Promise<string> {
  const program = await ensureProgram('docker-compose')
  const file = join(root, 'docker-compose.yml')
  return (await promisify(execFile)(program, ['--file', file, ...args], { cwd: root })).stdout
}

before(async () => {
  services = parse(await compose('config')).services
})

test('docker-compose finds no mistake in docker-compose.yml', async () => {
  assert.equal(await compose('config', '--quiet'), '')
})

test('the gateway waits for Redis and every backend', () => {
  const waitsFor = services.gateway?.depends_on ?? {}
  assert.deepEqual(Object.keys(waitsFor).sort(), ['redis', ...backends].sort())
  for (const { condition } of Object.values(waitsFor)) assert.equal(condition, 'service_healthy')
})

for (const name of backends) {
  test(`${name} is there, and the gateway is told where it listens`, () => {
    const { command = [], environment = {} } = services[name] ?? {}
    assert.equal(command[0], 'node')
    assert.ok(existsSync(join(root, String(command[1]))), `${command[1]} does not exist`)
    assert.equal(environment.HOST, '0.0.0.0')
    const variable = `${name.toUpperCase().replace('-', '_')}_URL`
    assert.equal(services.gateway?.environment?.[variable], `http://${name}:${environment.PORT}`)
  })
}
