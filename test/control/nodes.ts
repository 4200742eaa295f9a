import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { ownFolder } from '../store/kinds.ts'
import { startGateway, type TestGateway } from '../world.ts'

/** A gateway.yaml with routes that answer by themselves: id -> text. */
export function yamlOf(url: string, routes: Readonly<Record<string, string>>): string {
  return `# kept\n${stringify({
    server: {
      listen: '127.0.0.1:0',
      shutdown: { drainDelay: '0s', gracePeriod: '1s' },
      overload: { eventLoopDelay: '0s', heapPercent: 0 },
    },
    stores: { database: { url } },
    routes: Object.entries(routes).map(([id, text]) => route(id, text)),
  })}`
}

export function route(id: string, text: string): object {
  return { id, path: `/${id}`, auth: 'none', respond: { status: 200, body: text } }
}

export interface Node extends TestGateway {
  /** What a route answers; its status when that is not 200. */
  ask(id: string): Promise<string | number>
  replace(text: string): void
}

export async function startNode(
  t: TestContext,
  url: string,
  routes: Readonly<Record<string, string>>,
  folder?: string,
): Promise<Node> {
  const file = join(folder ?? (await ownFolder(t)), 'gateway.yaml')
  writeFileSync(file, yamlOf(url, routes))
  return await startFrom(t, file)
}

export async function startFrom(t: TestContext, file: string): Promise<Node> {
  const node = await startGateway(t, {}, { file, watch: true })
  return {
    ...node,
    ask: async (id) => {
      const answer = await fetch(`${node.url}/${id}`)
      const text = await answer.text()
      return answer.status === 200 ? text : answer.status
    },
    replace: (text) => writeFileSync(file, text),
  }
}

export const versionOf = async ({ url }: Node): Promise<number> =>
  (await (await fetch(`${url}/health`)).json()).configVersion

/** Resolves when it is so; fails by the time limit of the test. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}
