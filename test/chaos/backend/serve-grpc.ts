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

interface Connection {
  readonly socket: Socket
  /** `performance.now()` when a call came last. */
  usedAt: number
  /** Calls under way. */
  active: number
  /** Calls so far. */
  calls: number
}

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
  const connections = new Map<string, Connection>()

  const answer = (call: UnaryCall, reply: sendUnaryData<object>): void => {
    const { behaviour, journal } = state
    const { id } = call.request
    journal.note(id)
    const connection = connections.get(call.getPeer())
    if (connection === undefined) throw new Error(`nobody is connected from ${call.getPeer()}`)
    const finish = (): void => {
      connection.active--
      if (behaviour.kind === 'failing') reply({ code: codes[behaviour.status], details: 'told to fail' })
      else reply(null, { id, text })
    }
    const wasIdle = connection.active === 0 && performance.now() - connection.usedAt >= idleMs
    connection.active++
    const number = ++connection.calls
    connection.usedAt = performance.now()
    if (behaviour.kind === 'resetting') closeBy('RST', connection.socket)
    else if (behaviour.kind === 'slow') setTimeout(finish, behaviour.delayMs)
    else if (behaviour.kind === 'closingIdle' && wasIdle) {
      // One that others use in the same moment was not idle.
      setImmediate(() => (connection.calls > number ? finish() : closeBy(behaviour.by, connection.socket)))
    } else finish()
  }

  rpc.addService(service, { GetThing: answer, CreateThing: answer })
  health.addToServer(rpc)
  const injector = rpc.createConnectionInjector(ServerCredentials.createInsecure())
  const server = createServer((socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    connections.set(peer, { socket, usedAt: Number.POSITIVE_INFINITY, active: 0, calls: 0 })
    socket.on('error', () => {}).once('close', () => connections.delete(peer))
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

const idleMs = 50
const codes = { 500: status.INTERNAL, 503: status.UNAVAILABLE }
