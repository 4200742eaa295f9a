import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { execute, parse } from 'graphql'
import { type Behaviour, behaviourPath, text } from '../behaviour.ts'
import { closeBy } from './close-by.ts'
import type { Journal } from './journal.ts'

/** What the servers of one backend share. */
export interface BackendState {
  behaviour: Behaviour
  readonly journal: Journal
}

/** REST at `/things`, the subgraph at `/graphql`, `/health`, and the place where the backend is told how to behave. */
export function serveHttp(state: BackendState, typeDefs: string, onBehaviour: () => void): Server {
  const thing = (_: unknown, { id }: { readonly id: string }): object => ({ id, text })
  const schema = buildSubgraphSchema({
    typeDefs: parse(typeDefs),
    resolvers: { Query: { thing }, Mutation: { createThing: thing } },
  })
  const used = new WeakSet<Socket>()

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { behaviour, journal } = state
    const url = new URL(request.url ?? '/', 'http://backend')
    if (url.pathname === '/health') return end(response, isUnhealthy(behaviour) ? 503 : 200, '{}')
    if (url.pathname === behaviourPath) {
      state.behaviour = JSON.parse(await bodyOf(request)) as Behaviour
      onBehaviour()
      return end(response, 200, '{}')
    }
    const isGraphql = url.pathname === '/graphql'
    // What is asked in the body is read before it can be known; the rest counts from its head on.
    const body = isGraphql ? await bodyOf(request) : ''
    const question = isGraphql ? (JSON.parse(body) as Question) : undefined
    const id = question?.variables.id ?? url.searchParams.get('id') ?? url.pathname.split('/').at(-1) ?? ''
    journal.note(id)

    const isKept = used.has(request.socket)
    used.add(request.socket)
    if (behaviour.kind === 'closingIdle' && isKept) return closeBy(behaviour.by, request.socket)
    if (behaviour.kind === 'resetting' && request.method !== 'GET' && !isGraphql) {
      request.once('data', () => request.socket.resetAndDestroy())
      return
    }
    if (!isGraphql) await bodyOf(request)
    if (behaviour.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, behaviour.delayMs))
    if (behaviour.kind === 'failing') return end(response, behaviour.status, '{"error":"told to fail"}')
    const reply =
      question === undefined
        ? { id, text }
        : await execute({ schema, document: parse(question.query), variableValues: question.variables })
    const bytes = JSON.stringify(reply)
    if (behaviour.kind !== 'resetting') return end(response, 200, bytes)
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': bytes.length })
    response.write(bytes.slice(0, bytes.length / 2), () => request.socket.resetAndDestroy())
  }

  const server = createServer((request, response) => {
    // A connection that breaks while its request is read is none of ours.
    answer(request, response).catch(() => request.socket.destroy())
  })
  // Whoever keeps connections for less than a minute never meets one that we close; `closingIdle` is for that.
  server.keepAliveTimeout = 60_000
  return server
}

/** Whether it says so to those who ask for its health. */
export function isUnhealthy(behaviour: Behaviour): boolean {
  return behaviour.kind === 'leaving' || (behaviour.kind === 'failing' && behaviour.status === 503)
}

interface Question {
  readonly query: string
  readonly variables: { readonly id: string }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function end(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length })
  response.end(body)
}
