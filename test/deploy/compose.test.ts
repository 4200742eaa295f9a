import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { BlockList } from 'node:net'
import { join, resolve } from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { ConfigDocument } from '../../src/config/document.ts'
import { checkConfig } from '../../src/config/load.ts'
import { builtinPlugins } from '../../src/plugins/builtin.ts'
import { ensureProgram } from '../services/programs.ts'
import { readDockerfile } from './dockerfile.ts'

interface Service {
  readonly image?: string
  readonly build?: { readonly dockerfile: string; readonly target: string }
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly volumes?: readonly (string | { readonly type: string; readonly source: string })[]
  readonly ports?: readonly (string | { readonly host_ip?: string; readonly published: string })[]
  readonly healthcheck?: object
  readonly stop_grace_period?: string
}

const root = resolve(import.meta.dirname, '../..')
const backends = 'users-v1 users-v2 orders-a orders-b accounts products reviews library'.split(' ')
const nodes = ['gateway-1', 'gateway-2']
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
/** As it is written: what docker-compose makes of volumes and ports differs between its versions. */
const written = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>
  networks: { default: { ipam: { config: [{ subnet: string }] } } }
}
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

for (const node of nodes) {
  test(`${node} waits for Redis, PostgreSQL and every backend`, () => {
    const waitsFor = services[node]?.depends_on ?? {}
    assert.deepEqual(Object.keys(waitsFor).sort(), ['redis', 'postgres', ...backends].sort())
    for (const { condition } of Object.values(waitsFor)) assert.equal(condition, 'service_healthy')
  })

  test(`${node} is told nothing that gateway.yaml does not read`, () => {
    const variables = Object.keys(services[node]?.environment ?? {})
    const names = [...read('gateway.yaml').matchAll(/\$\{([A-Z_0-9]+)/g)].map(([, name]) => name)
    assert.ok(variables.length > 10)
    assert.deepEqual(
      variables.filter((name) => !names.includes(name)),
      [],
    )
  })

  test(`the configuration of ${node} is valid, and it has time to drain before it is killed`, () => {
    const document = new ConfigDocument('gateway.yaml', read('gateway.yaml'), {
      ...services[node]?.environment,
      JWT_SECRET: 'x'.repeat(32),
    })
    const { server, stores } = checkConfig(document, builtinPlugins).config
    const patienceMs = Number(written.services[node]?.stop_grace_period?.replace(/s$/, '')) * 1_000
    assert.ok(patienceMs >= server.shutdown.drainDelay + server.shutdown.gracePeriod + 5_000)
    assert.match(stores.redis?.url ?? '', /^redis:\/\/redis:6379/)
  })
}

test('both nodes are told the same', () => {
  assert.deepEqual(services['gateway-1']?.environment, services['gateway-2']?.environment)
  assert.equal(services['gateway-1']?.image, services['gateway-2']?.image)
})

test('the proxy that the nodes believe is nginx, within the network', () => {
  const nginx = (services.nginx as { networks?: { default?: { ipv4_address?: string } } }).networks
  const address = nginx?.default?.ipv4_address ?? ''
  assert.equal(services['gateway-1']?.environment?.TRUSTED_PROXY, address)
  const [subnet = '', bits] = written.networks.default.ipam.config[0].subnet.split('/')
  const network = new BlockList()
  network.addSubnet(subnet, Number(bits))
  assert.ok(network.check(address))
})

test('nginx is the only one that others on the network can reach', () => {
  for (const [name, { ports = [] }] of Object.entries(written.services)) {
    for (const port of ports) {
      const open = !String(port).startsWith('127.0.0.1:')
      assert.equal(open, name === 'nginx', `${name} ${String(port)}`)
    }
  }
})

test('what is built is a target of the Dockerfile, and what is mounted is there', () => {
  const { stages } = readDockerfile(read('deploy/Dockerfile'))
  for (const [name, service] of Object.entries(written.services)) {
    if (service.build === undefined) assert.match(service.image ?? '', /:[\w.-]+$/, `${name} has no version`)
    else assert.ok(stages.has(service.build.target), `${name}: ${service.build.target}`)
    for (const volume of service.volumes ?? []) {
      const [source = ''] = String(volume).split(':')
      if (source.startsWith('.')) assert.ok(existsSync(join(root, source)), `${name} mounts ${source}`)
    }
  }
})

test('nginx passes to the nodes, and Prometheus asks each of them', () => {
  const nginx = [...read('deploy/nginx/nginx.conf').matchAll(/^\s*server (\S+):8080 /gm)].map(
    ([, host]) => host,
  )
  // Believed or not, over either protocol.
  assert.deepEqual(nginx, [...nodes, ...nodes, ...nodes, ...nodes])
  for (const node of nodes) assert.ok(read('deploy/prometheus/prometheus.yml').includes(`${node}:8080`), node)
})

for (const name of backends) {
  test(`${name} is there, and the nodes are told where it listens`, () => {
    const { command = [], environment = {} } = services[name] ?? {}
    assert.equal(command[0], 'node')
    assert.ok(existsSync(join(root, String(command[1]))), `${command[1]} does not exist`)
    assert.equal(environment.HOST, '0.0.0.0')
    const variable = `${name.toUpperCase().replace('-', '_')}_URL`
    assert.equal(services['gateway-1']?.environment?.[variable], `http://${name}:${environment.PORT}`)
  })
}
