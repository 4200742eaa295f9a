import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startGateway, type TestGateway } from '../../../world.ts'
import { type Subgraph, schemas, startSubgraph } from '../subgraphs.ts'

/** A whole gateway before one subgraph. */
export interface Shop extends TestGateway {
  readonly accounts: Subgraph
  readonly folder: string
  readonly endpoint: string
  /** POSTs JSON. */
  ask(body: unknown, headers?: Record<string, string>): Promise<Response>
}

/** Starts a gateway with these keys of `graphql`, and of the whole configuration, in which `folder` has the schema and more files. */
export async function startShop(
  t: TestContext,
  graphql: object,
  { files = {}, ...config }: { readonly files?: Readonly<Record<string, string>> } & object = {},
): Promise<Shop> {
  const accounts = await startSubgraph('accounts')
  t.after(() => accounts.close())
  const folder = mkdtempSync(join(tmpdir(), 'trivium-requests-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const schema = join(folder, 'accounts.graphql')
  writeFileSync(schema, schemas.accounts ?? '')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const gateway = await startGateway(t, {
    upstreams: { accounts: { targets: [{ url: accounts.url }] } },
    ...config,
    graphql: {
      auth: 'none',
      subgraphs: { accounts: { upstream: 'accounts', schema } },
      ...inFolder(graphql, folder),
    },
  })
  const endpoint = `${gateway.url}/graphql`
  return {
    ...gateway,
    accounts,
    folder,
    endpoint,
    ask: (body, headers = {}) =>
      fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
  }
}

/** `FOLDER/` in the texts of a configuration is the folder of the files. */
function inFolder(config: object, folder: string): object {
  return JSON.parse(JSON.stringify(config).replaceAll('FOLDER', folder)) as object
}
