import { load, type MessageTypeDefinition } from '@grpc/proto-loader'
import { httpStatuses } from '../front-ends/grpc/http-statuses.ts'
import { askHttp2, connectHttp2 } from '../listener/http2-client.ts'
import { type Door, type DoorBackend, doors } from './door.ts'

/**
 * The ways in by which gRPC clients call: gRPC over HTTP/2, gRPC-Web and Connect. Their answers are told as those of other doors are: the
 * status and the details of gRPC as HTTP status and as `google.rpc.Status` in JSON.
 */
const native: Door = grpcDoor('gRPC', async (t, { url, headers }) => {
  const session = await connectHttp2(t, url)
  const head = { ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' }
  const reply = await askHttp2(session, { ...head, ...headers }, frame)
  session.close()
  if (reply.rstCode !== 0) throw new Error(`the answer was broken off (${reply.rstCode})`)
  const told = { ...reply.headers, ...reply.trailers }
  return answer(
    reply.status,
    Object.fromEntries(Object.entries(told).map(([name, value]) => [name, String(value)])),
  )
})

const web: Door = grpcDoor('gRPC-Web', async (_, { url, headers }) => {
  const type = { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' }
  const reply = await fetch(`${url}${method}`, {
    method: 'POST',
    headers: { ...type, ...headers },
    body: frame,
  })
  const body = Buffer.from(await reply.arrayBuffer())
  // Messages come before; ours hold no byte 0x80.
  const trailers = body.indexOf(0x80) === -1 ? '' : body.subarray(body.indexOf(0x80) + 5).toString('latin1')
  const lines = trailers.split('\r\n').filter((line) => line !== '')
  const told = lines.map((line): [string, string] => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 1).trim(),
  ])
  return answer(reply.status, { ...Object.fromEntries(reply.headers), ...Object.fromEntries(told) })
})

const connect: Door = grpcDoor('Connect', async (_, { url, headers }) => {
  const type = { 'content-type': 'application/json', 'connect-protocol-version': '1' }
  const reply = await fetch(`${url}${method}`, {
    method: 'POST',
    headers: { ...type, ...headers },
    body: '{"id":"42"}',
  })
  const body = (await reply.json()) as { details?: { type: string; debug?: object }[] }
  const details = body.details?.map(({ type, debug }) => ({ '@type': type, ...debug }))
  return new Response(JSON.stringify({ ...body, details }), { status: reply.status, headers: reply.headers })
})

/** Every way into the gateway. */
export const everyDoor: readonly Door[] = [...doors, native, web, connect]

const method = '/doors.v1.Users/GetUser'
/** `{id: "42"}`: field 1 with two bytes, behind the flag and the length. */
const frame = Uint8Array.of(0, 0, 0, 0, 4, 0x0a, 2, 0x34, 0x32)

type Ask = (
  t: Parameters<Door['start']>[0],
  request: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
) => Promise<Response>

function grpcDoor(name: string, ask: Ask): Door {
  const transcoded = doors.find((door) => door.name === 'grpc') as Door
  return {
    ...transcoded,
    name,
    async start(t): Promise<DoorBackend> {
      const backend = await transcoded.start(t)
      const target = { path: method, method: 'POST' }
      return { ...backend, target, ask: (url, headers = {}) => ask(t, { url, headers }) }
    },
  }
}

async function answer(httpStatus: number, told: Readonly<Record<string, string>>): Promise<Response> {
  const number = told['grpc-status']
  // A refusal before anybody knew that it is gRPC.
  if (number === undefined) return new Response('', { status: httpStatus })
  const status = number === '0' ? 200 : httpStatuses[Number(number) as keyof typeof httpStatuses]
  const details = await detailsIn(told['grpc-status-details-bin'])
  const body = { code: Number(number), message: decodeURIComponent(told['grpc-message'] ?? ''), details }
  const headers = Object.entries(told).filter(([name]) => !name.startsWith(':'))
  return new Response(JSON.stringify(body), { status, headers })
}

/** As another implementation reads them. */
async function detailsIn(base64: string | undefined): Promise<object[]> {
  if (base64 === undefined) return []
  const definitions = await load(['google/rpc/status.proto', 'google/rpc/error_details.proto'], {
    includeDirs: ['node_modules/google-proto-files'],
    keepCase: true,
  })
  const read = (type: string, bytes: Buffer): Record<string, unknown> =>
    (definitions[type] as MessageTypeDefinition<object, object>).deserialize(bytes) as Record<string, unknown>
  const { details } = read('google.rpc.Status', Buffer.from(base64, 'base64'))
  return (details as Record<string, unknown>[]).map((any) => {
    if (typeof any['@type'] === 'string') return any
    const type = String(any.type_url).replace(/.*\//, '')
    return { '@type': type, ...read(type, any.value as Buffer) }
  })
}
