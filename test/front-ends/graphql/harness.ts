import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Hooks } from '../../../src/core/exchange.ts'
import type { FrontEnd } from '../../../src/core/front-end.ts'
import { HttpExchange } from '../../../src/core/http-exchange.ts'
import { silentLog } from '../../../src/core/log.ts'
import type { Row } from '../../../src/core/route.ts'
import { createGraphqlFrontEnd } from '../../../src/front-ends/graphql/front-end.ts'
import type { GraphqlOptions } from '../../../src/front-ends/graphql/graphql-options.ts'
import { run } from '../../../src/pipeline/run.ts'
import type { Upstream } from '../../../src/traffic/upstream.ts'
import { plainDestination, plainRetry, plainUpstream } from '../../traffic/plain-upstream.ts'
import { type Subgraph, schemas } from './subgraphs.ts'

/** A front-end behind a real HTTP server, without the rest of the gateway. */
export interface Door {
  readonly url: string
  /** Every exchange that it saw, in order. */
  readonly exchanges: HttpExchange[]
  frontEnd: FrontEnd
  query(query: string, more?: object): Promise<Answer>
  fetch(init: RequestInit & { search?: string }): Promise<Response>
  close(): Promise<void>
}

/** A GraphQL answer with its status. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: an answer has any shape; the assertions check it
  readonly data?: any
  readonly errors: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[]
}

const noHooks: Hooks = { onRequest: [], names: [], onCall: [], onTurn: [], onReply: [], onSettled: [] }

export async function openDoor(frontEnd: FrontEnd, hooks: Partial<Hooks> = {}): Promise<Door> {
  const all = { ...noHooks, ...hooks }
  const exchanges: HttpExchange[] = []
  const server = createServer((req, res) => {
    const x = exchangeOf(req, res, { row: rowFor(door.frontEnd.rows, req), hooks: all })
    exchanges.push(x)
    run(x)
  })
  const url = `http://127.0.0.1:${await listen(server)}/graphql`
  const door: Door = {
    url,
    exchanges,
    frontEnd,
    query: async (query, more) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, ...more }),
      })
      return answerOf(response)
    },
    fetch: ({ search = '', ...init }) => fetch(url + search, init),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await door.frontEnd.close()
    },
  }
  return door
}

export async function answerOf(response: Response): Promise<Answer> {
  const { data, errors = [] } = JSON.parse(await response.text()) as Pick<Answer, 'data' | 'errors'>
  return { status: response.status, headers: response.headers, data, errors }
}

export function upstreamFor(
  name: string,
  url: string,
  options: { timeoutMs?: number; attempts?: number } = {},
): Upstream {
  return plainUpstream(name, [url], {
    requestTimeoutMs: options.timeoutMs ?? 5_000,
    retry: plainRetry(options.attempts ?? 1),
  })
}

export const limits = {
  bodyBytes: 2_097_152,
  depth: 15,
  aliases: 30,
  tokens: 15_000,
  rootFields: 20,
  directives: 50,
  fragments: 100,
  listSize: 10,
}

/** What asks nobody for anything does not need more. */
export const authorization: GraphqlOptions['authorization'] = {
  onRefused: 'filter',
  errors: 'errors',
  reportOnly: false,
  challenge: () => [],
  policies: new Map(),
}

export const subscriptions: GraphqlOptions['subscriptions'] = {
  max: 100,
  perCaller: 100,
  chargeEvents: false,
  reconnects: 0,
  heartbeatMs: 10_000,
  webSocket: undefined,
}

/** A front-end over the three subgraphs of `subgraphs.ts`. */
export function frontEndOver(
  subgraphs: readonly Subgraph[],
  options: Partial<GraphqlOptions> & { timeoutMs?: number; attempts?: number; shared?: boolean } = {},
): Promise<FrontEnd> {
  return createGraphqlFrontEnd({
    path: '/graphql',
    policy: {
      id: 'graphql',
      auth: 'none',
      authorize: { roles: [], scopes: [] },
      plugins: [],
      forwardCredentials: false,
    },
    subgraphs: subgraphs.map(({ name, url }) => {
      const destination = plainDestination(upstreamFor(name, url, options))
      return {
        name,
        destination,
        path: '/graphql',
        shared: options.shared ?? true,
        sdl: schemas[name] ?? '',
        file: `schemas/${name}.graphql`,
      }
    }),
    introspection: true,
    explorer: true,
    limits,
    authorization,
    subscriptions,
    log: silentLog,
    ...options,
  })
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** The row with the most matching header conditions, as the routing table would choose. */
function rowFor(rows: readonly Row[], req: IncomingMessage): Row {
  const method = req.method === 'HEAD' ? 'GET' : (req.method ?? '')
  const matching = rows.filter(
    (row) =>
      row.methods.includes(method) && row.headers.every(({ name, value }) => req.headers[name] === value),
  )
  const [best] = matching.sort((a, b) => b.headers.length - a.headers.length)
  if (best === undefined) throw new Error(`no row for ${method}`)
  return best
}

function exchangeOf(
  req: IncomingMessage,
  res: ServerResponse,
  place: { row: Row; hooks: Hooks },
): HttpExchange {
  const [path = '', query = ''] = (req.url ?? '').split(/\?(.*)/s)
  const length = req.headers['content-length']
  const facts = {
    req,
    res,
    request: {
      method: req.method ?? '',
      path,
      query,
      host: req.headers.host ?? '',
      scheme: 'http' as const,
      headers: req.headers,
      peerAddress: '127.0.0.1',
      peerTrusted: false,
      clientAddress: '127.0.0.1',
      receivedAt: Date.now(),
      startedAt: performance.now(),
    },
    segments: ['graphql'],
    hasBody: (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined,
    contentLength: length === undefined ? undefined : Number(length),
    expectsContinue: false,
    upgrade: undefined,
  }
  return new HttpExchange(facts, place.row, place.hooks)
}
