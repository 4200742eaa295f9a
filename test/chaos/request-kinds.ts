import type { Client, Metadata, ServiceError } from '@grpc/grpc-js'
import { status } from '@grpc/grpc-js'
import type { Pool } from 'undici'
import { text } from './behaviour.ts'

/** The connections of those who ask the gateway. */
export interface Clients {
  readonly http: Pool
  readonly grpc: Client & { readonly getThing: Rpc; readonly createThing: Rpc }
}

type Rpc = (
  asked: object,
  options: { readonly deadline: number },
  done: (error: ServiceError | null, thing?: Thing) => void,
) => unknown

interface Thing {
  readonly id: string
  readonly text: string
}

/** The gateway's upstreams, one for each kind of backend. */
export type UpstreamName = 'rest' | 'graphql' | 'grpc'

/** A kind of request that clients make. */
export interface RequestKind {
  readonly name: string
  readonly upstream: UpstreamName
  /** Whether the gateway may send it twice. */
  readonly idempotent: boolean
  /** Resolves with undefined when the answer is the whole of what was asked for, else with why not. */
  ask(clients: Clients, id: string): Promise<string | undefined>
}

/** A client waits no longer for an answer. */
export const patienceMs = 30_000
/** More than one packet, less than a gateway keeps for another attempt. */
const body = JSON.stringify({ text: text.repeat(4) })

/** All of them, over all front-ends. */
export const requestKinds: readonly RequestKind[] = [
  rest('REST GET', true, { method: 'GET', path: (id) => `/things/${id}` }),
  rest('REST PUT', true, { method: 'PUT', path: (id) => `/things/${id}`, body: () => body }),
  rest('REST POST', false, { method: 'POST', path: (id) => `/things?id=${id}`, body: () => body }),
  rest('REST POST with key', true, {
    method: 'POST',
    path: (id) => `/things?id=${id}`,
    headers: (id) => ({ 'idempotency-key': id }),
    body: () => body,
  }),
  graphql('GraphQL query', true, 'query ($id: ID!) { thing(id: $id) { id text } }'),
  graphql('GraphQL mutation', false, 'mutation ($id: ID!) { thing: createThing(id: $id) { id text } }'),
  transcoded('gRPC by GET', true, { method: 'GET', path: (id) => `/rpc/things/${id}` }),
  transcoded('gRPC by POST', false, {
    method: 'POST',
    path: () => '/rpc/things',
    body: (id) => JSON.stringify({ id }),
  }),
  native('gRPC, no side effects', true, 'getThing'),
  native('gRPC', false, 'createThing'),
]

interface Form {
  readonly method: 'GET' | 'PUT' | 'POST'
  path(id: string): string
  headers?(id: string): Readonly<Record<string, string>>
  body?(id: string): string
}

function rest(name: string, idempotent: boolean, form: Form): RequestKind {
  return { name, idempotent, upstream: 'rest', ask: ({ http }, id) => askHttp(http, form, id) }
}

function transcoded(name: string, idempotent: boolean, form: Form): RequestKind {
  return { name, idempotent, upstream: 'grpc', ask: ({ http }, id) => askHttp(http, form, id) }
}

function graphql(name: string, idempotent: boolean, query: string): RequestKind {
  const form: Form = {
    method: 'POST',
    path: () => '/graphql',
    body: (id) => JSON.stringify({ query, variables: { id } }),
  }
  return { name, idempotent, upstream: 'graphql', ask: ({ http }, id) => askHttp(http, form, id) }
}

function native(name: string, idempotent: boolean, method: 'getThing' | 'createThing'): RequestKind {
  const ask = ({ grpc }: Clients, id: string): Promise<string | undefined> =>
    new Promise((resolve) => {
      grpc[method]({ id }, { deadline: Date.now() + patienceMs }, (error, thing) => {
        if (error === null) resolve(isWhole(thing, id) ? undefined : 'another answer')
        else resolve(reasonIn(error.metadata) ?? status[error.code])
      })
    })
  return { name, idempotent, upstream: 'grpc', ask }
}

async function askHttp(http: Pool, form: Form, id: string): Promise<string | undefined> {
  const timeouts = { headersTimeout: patienceMs, bodyTimeout: patienceMs }
  const { method, path, body } = form
  const headers = { 'content-type': 'application/json', ...form.headers?.(id) }
  try {
    const reply = await http.request({
      method,
      path: path(id),
      headers,
      body: body?.(id) ?? null,
      ...timeouts,
    })
    const answer = await reply.body.text()
    if (reply.statusCode === 200 && isWhole(thingIn(answer), id)) return undefined
    return /"reason":\s*"(\w+)"/.exec(answer)?.[1] ?? `status ${reply.statusCode}`
  } catch (error) {
    const { code = String(error) } = error as { readonly code?: string }
    return `broken off (${code})`
  }
}

function thingIn(answer: string): Thing | undefined {
  const parsed = JSON.parse(answer) as Thing & { readonly data?: { readonly thing?: Thing } }
  return parsed.data === undefined ? parsed : (parsed.data?.thing ?? undefined)
}

function isWhole(thing: Thing | undefined, id: string): boolean {
  return thing?.id === id && thing.text === text
}

/** The stable reason stands in a google.rpc.ErrorInfo as text: its words are upper case and the first field. */
function reasonIn(metadata: Metadata): string | undefined {
  const [details] = metadata.get('grpc-status-details-bin')
  return /ErrorInfo.*?\n.([A-Z_]{4,})/s.exec(details?.toString('latin1') ?? '')?.[1]
}
