import { fileURLToPath } from 'node:url'
import { silentLog } from '../../../../src/core/log.ts'
import { createGrpcFrontEnd } from '../../../../src/front-ends/grpc/front-end.ts'
import type { ApiInfo } from '../../../../src/front-ends/grpc/openapi/document.ts'
import type { ServiceOptions } from '../../../../src/front-ends/grpc/service-options.ts'
import { googleProtos, serviceOf, testProtos, upstreamOf } from '../harness.ts'

export const libraryProto = fileURLToPath(
  new URL('../../../../protos/library/v1/library.proto', import.meta.url),
)
export const messagingProto = fileURLToPath(new URL('./protos/messaging.proto', import.meta.url))
export const nastyProto = fileURLToPath(new URL('./protos/nasty.proto', import.meta.url))

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape.
export type Json = any

/** The document that a front-end of these services gives; no backend is needed for that. */
export async function describeServices(
  protoFile: string,
  services: Readonly<Record<string, Partial<ServiceOptions>>>,
  info?: ApiInfo,
): Promise<Json> {
  const upstream = upstreamOf(['http://127.0.0.1:1'])
  const frontEnd = await createGrpcFrontEnd({
    protoFiles: [protoFile],
    includeDirs: [testProtos, googleProtos],
    services: Object.entries(services).map(([name, more]) => serviceOf(name, upstream, more)),
    limits: { bodyBytes: 1, messageBytes: 1 },
    log: silentLog,
    ...(info === undefined ? {} : { info }),
  })
  try {
    return JSON.parse(JSON.stringify(frontEnd.describe?.()))
  } finally {
    await frontEnd.close()
    upstream.close?.()
  }
}

/** All operations of a document: method, path, and what is said of it. */
export function operationsOf(document: Json): { method: string; path: string; operation: Json }[] {
  return Object.entries<Json>(document.paths).flatMap(([path, item]) =>
    Object.entries<Json>(item)
      .filter(([method]) => !method.startsWith('x-'))
      .map(([method, operation]) => ({ method, path, operation })),
  )
}
