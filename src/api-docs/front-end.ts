import { GatewayError } from '../core/error.ts'
import type { FrontEnd } from '../core/front-end.ts'
import type { HttpExchange } from '../core/http-exchange.ts'
import { openPolicy } from '../core/policy.ts'
import type { Policy, Row } from '../core/route.ts'
import { type SentFile, sendFile, sentFile } from '../core/sent-file.ts'
import { refuseWithProblem } from '../front-ends/problem.ts'
import { type ApiOptions, describeGateway } from './document.ts'
import { hostView } from './host-view.ts'
import { UiFiles } from './ui-files.ts'

/** Where descriptions are served, and what they are made from. */
export interface ApiDocsOptions {
  /** Of the merged document. */
  readonly path: string
  /** Who may read it, and that of the gRPC services. */
  readonly policy: Policy
  /** Where Swagger UI is; undefined: it is not. */
  readonly uiPath: string | undefined
  /** The header with the key of a consumer, for the page. */
  readonly apiKeyHeader: string
  readonly api: ApiOptions
  /** All rows of the configuration. */
  readonly rows: readonly Row[]
  /** Another number when something that is described has changed by itself. */
  revision(): number
}

const grpcPath = '/openapi/grpc.json'

/**
 * Serves the description of a configuration, and Swagger UI that shows it. Its rows are in no routing table: they get what no row of that takes.
 * A document is made when it is first asked for.
 */
export class ApiDocsFrontEnd implements FrontEnd {
  readonly name = 'rest'
  readonly rows: readonly Row[]
  readonly #options: ApiDocsOptions
  readonly #document: Row
  readonly #grpc: Row
  readonly #ui: Row | undefined
  readonly #viewOf: ReturnType<typeof hostView>
  #made = new Map<string, Promise<SentFile>>()
  #revision = 0

  constructor(options: ApiDocsOptions) {
    const { path, policy, uiPath, rows, api, apiKeyHeader } = options
    this.#options = options
    this.#viewOf = hostView(rows)
    this.#document = this.#row(path, policy, (x) => this.#serve(x))
    this.#grpc = this.#row(grpcPath, policy, (x) => this.#serveGrpc(x))
    if (uiPath !== undefined) {
      const files = new UiFiles({ path: uiPath, document: path, apiKeyHeader, title: String(api.info.title) })
      this.#ui = this.#row(uiPath, openPolicy('api-docs-ui'), (x) => files.serve(x))
    }
    this.rows = [this.#document, this.#grpc, ...(this.#ui === undefined ? [] : [this.#ui])]
  }

  /** The row for a path as it was sent, without query; undefined: there is none. */
  rowOf(path: string): Row | undefined {
    if (path === this.#document.template) return this.#document
    if (path === grpcPath && this.#options.api.grpc !== undefined) return this.#grpc
    const ui = this.#ui?.template
    return ui !== undefined && (path === ui || path.startsWith(`${ui}/`)) ? this.#ui : undefined
  }

  refuse(x: HttpExchange, error: GatewayError): void {
    refuseWithProblem(x, error)
  }

  async close(): Promise<void> {}

  async #serve(x: HttpExchange): Promise<void> {
    const { api, revision } = this.#options
    const now = revision()
    if (now !== this.#revision) {
      this.#revision = now
      this.#made = new Map()
    }
    const { key, host } = this.#viewOf(x.request.host)
    sendFile(x, await this.#kept(key, () => describeGateway(api, host)), documentHeaders)
  }

  async #serveGrpc(x: HttpExchange): Promise<void> {
    const { grpc = () => ({}) } = this.#options.api
    sendFile(x, await this.#kept('grpc.json', grpc), documentHeaders)
  }

  #kept(key: string, describe: () => object): Promise<SentFile> {
    const made = this.#made
    let file = made.get(key)
    if (file === undefined) {
      file = (async () => sentFile('application/json', Buffer.from(JSON.stringify(describe()))))()
      made.set(key, file)
      // What failed once is tried again.
      file.catch(() => made.delete(key))
    }
    return file
  }

  #row(template: string, policy: Policy, serve: (x: HttpExchange) => Promise<void>): Row {
    return {
      id: policy.id,
      protocol: 'rest',
      template,
      policy,
      methods: ['GET'],
      hosts: [],
      headers: [],
      query: [],
      priority: 0,
      encodedSlash: false,
      frontEnd: this,
      leadsTo: 'the gateway itself',
      origin: 'apiDocs',
      serve: (x) => {
        requireGet(x)
        return serve(x)
      },
    }
  }
}

function requireGet({ request }: HttpExchange): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const headers = ['Allow', 'GET, HEAD']
  throw new GatewayError('METHOD_NOT_ALLOWED', 'This path takes GET, HEAD.', { headers })
}

const documentHeaders = [
  ...['Cache-Control', 'no-cache'],
  ...['X-Content-Type-Options', 'nosniff'],
  ...['Vary', 'Accept-Encoding'],
]
