import { type handleUnaryCall, Server, ServerCredentials, status } from '@grpc/grpc-js'
import type { Backend, BackendOptions } from '../backend.ts'
import { loadProtos } from './protos.ts'
import { libraryService } from './service.ts'

/** How long `close` waits for running calls before it cuts them. */
const graceMs = 1_000

/** Starts the gRPC backend `library`, in cleartext, with `grpc.health.v1.Health/Check` beside it. */
export async function startLibrary(options: BackendOptions = {}): Promise<Backend> {
  const protos = await loadProtos()
  const server = new Server()
  server.addService(protos.library, libraryService(protos))
  server.addService(protos.health, { Check: checkHealth })

  const host = options.host ?? '127.0.0.1'
  const authority = host.includes(':') ? `[${host}]` : host
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `${authority}:${options.port ?? 0}`,
      ServerCredentials.createInsecure(),
      (error, bound) => (error ? reject(error) : resolve(bound)),
    )
  })

  const close = async (): Promise<void> => {
    const cut = setTimeout(() => server.forceShutdown(), graceMs)
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
    clearTimeout(cut)
  }
  return { name: 'library', url: `http://${authority}:${port}`, close }
}

const checkHealth: handleUnaryCall<{ service: string }, { status: string }> = ({ request }, callback) => {
  if (['', 'library.v1.LibraryService'].includes(request.service)) callback(null, { status: 'SERVING' })
  else callback({ code: status.NOT_FOUND, details: 'There is no such service.' })
}
