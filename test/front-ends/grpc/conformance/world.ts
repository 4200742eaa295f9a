import { type IncomingMessage, request } from 'node:http'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { load, type ServiceDefinition } from '@grpc/proto-loader'
import { startGateway } from '../../../world.ts'
import { googleProtos, testProtos } from '../harness.ts'
import { type Heard, specialMethods } from './backend.ts'

const protos = fileURLToPath(new URL('protos', import.meta.url))
export const serviceName = 'conformance.v1.Rules'

/** A whole gateway in front of a real gRPC server. */
export interface World {
  readonly url: string
  /** What the backend was called with, oldest first. */
  readonly heard: Heard[]
  ask(line: string, options?: AskOptions): Promise<Answer>
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it stands when it is text or bytes, else as JSON. */
  readonly body?: unknown
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly trailers: IncomingMessage['trailers']
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly json: any
}

/** Starts both; `service` and `rest` are in the words of gateway.yaml. */
export async function startWorld(
  t: TestContext,
  service: object = {},
  rest: { readonly upstream?: object; readonly gateway?: object } = {},
): Promise<World> {
  const includeDirs = [protos, testProtos, googleProtos]
  const definitions = await load('conformance/v1/conformance.proto', {
    includeDirs,
    keepCase: true,
    longs: String,
    enums: String,
    bytes: String,
  })
  const definition = definitions[serviceName] as ServiceDefinition
  const heard: Heard[] = []
  const special = await specialMethods()
  const implementation: UntypedServiceImplementation = {}
  for (const name of Object.keys(definition)) {
    // biome-ignore lint/suspicious/noExplicitAny: messages of every type.
    implementation[name] = (call: any, reply: any) => {
      const left = Number(call.getDeadline()) - Date.now()
      heard.push({
        method: name,
        request: call.request,
        metadata: call.metadata.getMap(),
        leftMs: left,
        call,
      })
      const answer = special[name]
      if (answer === undefined) reply(null, call.request)
      else answer(call, reply)
    }
  }
  const server = new Server()
  server.addService(definition, implementation)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  t.after(() => server.forceShutdown())
  const { url } = await startGateway(t, {
    upstreams: { rules: { targets: [{ url: `http://127.0.0.1:${port}` }], ...rest.upstream } },
    grpc: {
      protos: [`${protos}/conformance/v1/conformance.proto`],
      includeDirs: [protos, testProtos],
      services: { [serviceName]: { upstream: 'rules', auth: 'none', ...service } },
    },
    ...rest.gateway,
  })
  return { url, heard, ask: (line, options) => ask(url, line, options) }
}

/** One request, its target as it stands: `GET /v1/a%2Fb?c=d`. */
export function ask(
  url: string,
  line: string,
  { headers = {}, body, signal }: AskOptions = {},
): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ')
  const raw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
  const bytes = raw ? body : JSON.stringify(body)
  const typed = bytes === undefined ? headers : { 'content-type': 'application/json', ...headers }
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const options = {
      hostname,
      port,
      method,
      path,
      headers: typed,
      ...(signal === undefined ? {} : { signal }),
    }
    const sent = request(options, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const isJson = /json$/.test(res.headers['content-type'] ?? '') && text !== ''
        const { statusCode: status = 0, headers, trailers } = res
        resolve({ status, headers, trailers, text, json: isJson ? JSON.parse(text) : undefined })
      })
    })
    sent.on('error', reject)
    sent.end(bytes)
  })
}
