import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { type RunningCli, startCli } from '../cli/child.ts'
import { freePort } from '../services/free-port.ts'
import { ownFolder, startOwnProcess } from '../services/own-process.ts'
import { ensureProgram } from '../services/programs.ts'

const root = resolve(import.meta.dirname, '../..')

/** One node of the gateway, a process of its own that can be ended and started again at its port. */
export interface GatewayNode {
  readonly url: string
  /** The process that runs, or ran last. */
  readonly running: RunningCli
  /** Resolves when the next process listens. */
  start(): Promise<void>
}

/** Two nodes of one configuration behind the nginx of deploy/nginx. */
export interface TwoNodes {
  readonly nodes: readonly [GatewayNode, GatewayNode]
  /** Where clients come in: HTTP/1.1. */
  readonly url: string
  /** Where clients come in that speak HTTP/2: `127.0.0.1:port`. */
  readonly http2: string
  /** The lines of nginx's access log so far. */
  accessLog(): Record<string, unknown>[]
}

/** Starts them; they end with the test. `yaml` is the configuration of both. */
export async function startTwoNodes(t: TestContext, yaml: string): Promise<TwoNodes> {
  const folder = await ownFolder('two-nodes')
  const file = join(folder, 'gateway.yaml')
  writeFileSync(file, yaml)
  const [one, two] = await Promise.all([startNode(t, file), startNode(t, file)])
  const [port, http2Port] = [await freePort(), await freePort()]
  const log = join(folder, 'access.log')
  const config = join(folder, 'nginx.conf')
  writeFileSync(
    config,
    nginxConfig({ port, http2Port, folder, log, ports: [one.running.port, two.running.port] }),
  )
  const nginx = await startOwnProcess({
    program: await ensureProgram('nginx'),
    args: ['-c', config, '-e', 'stderr', '-g', 'daemon off; master_process off;'],
    folder,
    port,
  })
  t.after(nginx.kill)
  return {
    nodes: [one, two],
    url: `http://127.0.0.1:${port}`,
    http2: `127.0.0.1:${http2Port}`,
    accessLog: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

async function startNode(t: TestContext, file: string): Promise<GatewayNode> {
  let running = await startCli(t, file, ['--port', String(await freePort())])
  const { url, port } = running
  return {
    url,
    get running() {
      return running
    },
    start: async () => {
      running = await startCli(t, file, ['--port', String(port)])
    },
  }
}

/** What is shipped, with other addresses: nothing else of it is changed. */
function nginxConfig(options: {
  readonly port: number
  readonly http2Port: number
  readonly folder: string
  readonly log: string
  readonly ports: readonly [number, number]
}): string {
  const { port, http2Port, folder, log, ports } = options
  const replacements: readonly [string, string, number][] = [
    ['server gateway-1:8080', `server 127.0.0.1:${ports[0]}`, 4],
    ['server gateway-2:8080', `server 127.0.0.1:${ports[1]}`, 4],
    ['listen 8080;', `listen 127.0.0.1:${port};`, 1],
    ['listen 9080 http2;', `listen 127.0.0.1:${http2Port} http2;`, 1],
    [' /tmp/', ` ${folder}/`, 6],
    ['/dev/stdout', log, 1],
  ]
  let text = readFileSync(join(root, 'deploy/nginx/nginx.conf'), 'utf8')
  for (const [shipped, ours, times] of replacements) {
    const pieces = text.split(shipped)
    if (pieces.length !== times + 1) throw new Error(`nginx.conf has "${shipped}" ${pieces.length - 1} times`)
    text = pieces.join(ours)
  }
  return text
}
