import { createServer, type Server as NetServer, type Socket } from 'node:net'
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'
import { text } from '../behaviour.ts'
import { closeBy } from './close-by.ts'
import { type BackendState, isUnhealthy } from './serve-http.ts'

type UnaryCall = ServerUnaryCall<{ readonly id: string }, object>

/** The gRPC side of a backend. */
export interface GrpcSide {
  readonly server: NetServer
  /** Says what it has to say of its health by now. */
  tellHealth(): void
  /** Takes no more calls, and lets those under way end. */
  drain(): void
}

/** `chaos.v1.Things` and `grpc.health.v1`. The connections are accepted here, so that they can be broken. */
export function serveGrpc(state: BackendState, service: ServiceDefinition): GrpcSide {
  const rpc = new Server()
  const health = new HealthImplementation({ '': 'SERVING' })
  const sockets = new Map<string, { readonly socket: Socket; used: boolean; active: number }>()

  const answer = (call: UnaryCall, reply: sendUnaryData<object>): void => {
    const { behaviour, journal } = state
    const { id } = call.request
    journal.note(id)
    const connection = sockets.get(call.getPeer())
    if (connection === undefined) throw new Error(`nobody is connected from ${call.getPeer()}`)
    // One that others are using is not idle.
    const isKept = connection.active === 0 && connection.used
    connection.used = true
    if (behaviour.kind === 'resetting' || (behaviour.kind === 'closingIdle' && isKept)) {
      closeBy(behaviour.kind === 'resetting' ? 'RST' : behaviour.by, connection.socket)
      return
    }
    connection.active++
    const finish = (): void => {
      connection.active--
      if (behaviour.kind === 'failing') reply({ code: codes[behaviour.status], details: 'told to fail' })
      else reply(null, { id, text })
    }
    if (behaviour.kind === 'slow') setTimeout(finish, behaviour.delayMs)
    else finish()
  }

  rpc.addService(service, { GetThing: answer, CreateThing: answer })
  health.addToServer(rpc)
  const injector = rpc.createConnectionInjector(ServerCredentials.createInsecure())
  const server = createServer((socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    sockets.set(peer, { socket, used: false, active: 0 })
    socket.on('error', () => {}).once('close', () => sockets.delete(peer))
    injector.injectConnection(socket)
  })
  return {
    server,
    tellHealth: () => health.setStatus('', isUnhealthy(state.behaviour) ? 'NOT_SERVING' : 'SERVING'),
    drain() {
      server.close()
      rpc.tryShutdown(() => {})
    },
  }
}

const codes = { 500: status.INTERNAL, 503: status.UNAVAILABLE }
