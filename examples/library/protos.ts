import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { load, type MessageTypeDefinition } from '@grpc/proto-loader'
import type { RpcStatus } from './rpc-error.ts'

/** What the library takes from its `.proto` files. Messages have camelCase names, and int64 as strings. */
export interface LibraryProtos {
  readonly library: ServiceDefinition
  readonly health: ServiceDefinition
  /** Encodes a google.rpc.Status; each detail is a message that names its type in `@type`. */
  encodeStatus(status: RpcStatus): Buffer
}

/** Reads `protos/` and what it imports from google-proto-files. */
export async function loadProtos(): Promise<LibraryProtos> {
  const definitions = await load(
    [
      'library/v1/library.proto',
      'grpc/health/v1/health.proto',
      'google/rpc/status.proto',
      'google/rpc/error_details.proto',
    ],
    {
      includeDirs: [
        fileURLToPath(new URL('../../protos', import.meta.url)),
        dirname(fileURLToPath(import.meta.resolve('google-proto-files/package.json'))),
      ],
      longs: String,
      enums: String,
      defaults: true,
    },
  )
  const status = definitions['google.rpc.Status'] as MessageTypeDefinition<RpcStatus, object>
  return {
    library: definitions['library.v1.LibraryService'] as ServiceDefinition,
    health: definitions['grpc.health.v1.Health'] as ServiceDefinition,
    encodeStatus: status.serialize,
  }
}
