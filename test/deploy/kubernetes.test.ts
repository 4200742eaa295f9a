import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { ConfigDocument } from '../../src/config/document.ts'
import { checkConfig, type LoadedConfig } from '../../src/config/load.ts'
import { builtinPlugins } from '../../src/plugins/builtin.ts'
import { ensureProgram } from '../services/programs.ts'
import {
  anObject,
  type Container,
  type Deployment,
  type KubernetesObject,
  kinds,
} from './kubernetes-kinds.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../../deploy/kubernetes')
const overlays = ['production', 'development'] as const
const rendered = new Map<string, readonly KubernetesObject[]>()
/** Secrets that are made by hand, with the file that says how. */
const madeByHand = { production: 'overlays/production/secrets.example.env' } as Readonly<
  Record<string, string>
>

const kubectl = await ensureProgram('kubectl')
/** Debian 12 has kubectl 1.20, whose kustomize is of 2019. */
const skip =
  (await minorVersion()) < 27 && 'kubectl is older than 1.27: its kustomize does not know components'

before(async () => {
  if (skip) return
  for (const overlay of overlays) {
    const { stdout } = await run(kubectl, ['kustomize', join(root, 'overlays', overlay)])
    rendered.set(
      overlay,
      parseAllDocuments(stdout).map((document) => anObject.parse(document.toJS())),
    )
  }
})

for (const overlay of overlays) {
  const all = (): readonly KubernetesObject[] => rendered.get(overlay) ?? []
  const named = <T>(kind: keyof typeof kinds, name = 'gateway'): T => {
    const found = all().find((each) => each.kind === kind && each.metadata.name === name)
    assert.ok(found, `${overlay} has no ${kind} ${name}`)
    return found as T
  }
  const gateway = (): Deployment => named<Deployment>('Deployment')
  const deployments = (): readonly Deployment[] =>
    all().flatMap((each) => (each.kind === 'Deployment' ? [each as unknown as Deployment] : []))
  const container = (): Container => gateway().spec.template.spec.containers[0] as Container

  test(`${overlay}: every object has the fields of its kind, and no other`, { skip }, () => {
    for (const each of all()) {
      const kind = kinds[each.kind as keyof typeof kinds]
      assert.ok(kind, `${each.kind} is not known here`)
      assert.equal(each.apiVersion, kind.apiVersion, each.kind)
      const { error } = kind.shape.safeParse(each)
      assert.equal(error && `${each.kind} ${each.metadata.name}: ${z.prettifyError(error)}`, undefined)
    }
  })

  test(`${overlay}: all are in one namespace`, { skip }, () => {
    const namespaces = all().map(({ kind, metadata }) =>
      kind === 'Namespace' ? metadata.name : metadata.namespace,
    )
    assert.equal(new Set(namespaces).size, 1)
    assert.notEqual(namespaces[0], undefined)
  })

  test(`${overlay}: what selects pods selects those of the gateway, and only those`, { skip }, () => {
    const { labels } = gateway().spec.template.metadata
    const selectors: Record<string, Record<string, string>> = {
      Deployment: gateway().spec.selector.matchLabels,
      Service: named<{ spec: { selector: Record<string, string> } }>('Service').spec.selector,
      PodDisruptionBudget: named<Deployment>('PodDisruptionBudget').spec.selector.matchLabels,
    }
    for (const { labelSelector, topologyKey } of gateway().spec.template.spec.topologySpreadConstraints ?? [])
      selectors[topologyKey] = labelSelector.matchLabels
    if (overlay === 'production') {
      const policy = named<{ spec: { podSelector: { matchLabels: Record<string, string> } } }>(
        'NetworkPolicy',
      )
      selectors.NetworkPolicy = policy.spec.podSelector.matchLabels
      const monitor = named<Deployment>('ServiceMonitor').spec.selector.matchLabels
      assert.ok(covers(named<KubernetesObject>('Service').metadata.labels ?? {}, monitor), 'ServiceMonitor')
    }
    const others = deployments().filter(({ metadata }) => metadata.name !== 'gateway')
    for (const [who, selector = {}] of Object.entries(selectors)) {
      assert.ok(Object.keys(selector).length > 0, who)
      assert.ok(covers(labels, selector), who)
      for (const other of others) {
        assert.ok(!covers(other.spec.template.metadata.labels, selector), `${who}: ${other.metadata.name}`)
      }
    }
  })

  test(`${overlay}: ports that are named are there`, { skip }, () => {
    for (const deployment of deployments()) {
      const names = deployment.spec.template.spec.containers.flatMap(({ ports = [] }) =>
        ports.map(({ name }) => name),
      )
      const service = named<{ spec: { ports: { targetPort: string }[] } }>(
        'Service',
        deployment.metadata.name,
      )
      for (const { targetPort } of service.spec.ports) assert.ok(names.includes(targetPort), targetPort)
    }
    const { startupProbe, livenessProbe, readinessProbe } = container()
    const probes = { startupProbe, livenessProbe, readinessProbe }
    for (const [name, probe] of Object.entries(probes)) assert.equal(probe?.httpGet.port, 'http', name)
    assert.deepEqual(
      [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet.path),
      ['/livez', '/livez', '/readyz'],
    )
  })

  test(`${overlay}: the gateway has no right that it does not need`, { skip }, () => {
    const { spec } = gateway().spec.template
    assert.deepEqual(
      [
        spec.securityContext?.runAsNonRoot,
        spec.securityContext?.seccompProfile?.type,
        spec.automountServiceAccountToken,
      ],
      [true, 'RuntimeDefault', false],
    )
    assert.ok((spec.securityContext?.runAsUser ?? 0) > 0)
    assert.deepEqual(container().securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const { requests, limits } = container().resources ?? {}
    assert.ok(requests?.cpu && requests.memory && limits?.memory)
  })

  test(`${overlay}: the heap of Node fits into the memory of the container`, { skip }, () => {
    const options = container().env?.find(({ name }) => name === 'NODE_OPTIONS')?.value ?? ''
    const heapMib = Number(/--max-old-space-size=(\d+)/.exec(options)?.[1])
    const limit = /^(\d+)Gi$/.exec(container().resources?.limits.memory ?? '')?.[1]
    assert.ok(heapMib <= (Number(limit) * 1024) / 2)
  })

  test(`${overlay}: volumes, ConfigMaps and Secrets that are used are there`, { skip }, () => {
    const { volumes = [], containers } = gateway().spec.template.spec
    for (const { volumeMounts = [] } of containers) {
      for (const { name } of volumeMounts)
        assert.ok(
          volumes.some((volume) => volume.name === name),
          name,
        )
    }
    for (const { configMap } of volumes) if (configMap) named('ConfigMap', configMap.name)
    for (const { secretRef } of container().envFrom ?? []) {
      if (madeByHand[overlay] === undefined) named('Secret', secretRef.name)
      else assert.ok(read(madeByHand[overlay]).includes(`create secret generic ${secretRef.name} `))
    }
  })

  test(`${overlay}: the configuration is valid with what the Secret has, and pods get the time that it takes`, {
    skip,
  }, () => {
    const { config } = configOf(overlay)
    const { drainDelay, gracePeriod } = config.server.shutdown
    const { terminationGracePeriodSeconds = 30 } = gateway().spec.template.spec
    assert.ok(terminationGracePeriodSeconds * 1_000 >= drainDelay + gracePeriod + 5_000)
    // A pod that ends goes on taking what comes until everybody has heard of it.
    assert.ok(drainDelay >= 5_000)
    const [, port] = config.server.listen.split(':')
    assert.equal(container().ports?.[0]?.containerPort, Number(port))
    assert.match(JSON.stringify(config.stores), /postgres:\/\//)
  })

  test(`${overlay}: never fewer pods than before while it is rolled out or moved`, { skip }, () => {
    const { strategy, replicas } = gateway().spec
    assert.equal(strategy?.rollingUpdate.maxUnavailable, 0)
    assert.equal(replicas, undefined, 'the number of pods is that of the HorizontalPodAutoscaler')
    const { spec } = named<{ spec: { scaleTargetRef: { name: string }; minReplicas: number } }>(
      'HorizontalPodAutoscaler',
    )
    assert.equal(spec.scaleTargetRef.name, 'gateway')
    assert.ok(overlay === 'development' || spec.minReplicas >= 2)
  })

  function configOf(name: string): LoadedConfig {
    const volume = gateway().spec.template.spec.volumes?.find(({ configMap }) => configMap !== undefined)
    const map = named<{ data: Record<string, string> }>('ConfigMap', volume?.configMap?.name)
    const [file = ''] = Object.keys(map.data)
    const mount = container().volumeMounts?.find((each) => each.name === volume?.name)
    assert.deepEqual(container().args, ['start', '--config', `${mount?.mountPath}/${file}`])
    const document = new ConfigDocument(file, map.data[file] ?? '', environment(name))
    return checkConfig(document, builtinPlugins)
  }

  function environment(name: string): Record<string, string> {
    const byHand = madeByHand[name]
    if (byHand !== undefined) {
      const lines = read(byHand).matchAll(/^([A-Z_]+)=(.*)$/gm)
      return Object.fromEntries([...lines].map(([, key = '', value = '']) => [key, value]))
    }
    const reference = container().envFrom?.[0]?.secretRef.name
    const { data } = named<{ data: Record<string, string> }>('Secret', reference)
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    )
  }
}

async function minorVersion(): Promise<number> {
  const { stdout } = await run(kubectl, ['version', '--client', '--output', 'json'])
  const { clientVersion } = JSON.parse(stdout) as { clientVersion: { minor: string } }
  return Number.parseInt(clientVersion.minor, 10)
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function covers(
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value)
}
