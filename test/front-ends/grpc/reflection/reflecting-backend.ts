import type { TestContext } from 'node:test'
import { toBinary } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { folderOf } from '../../../config/files.ts'

/** How a backend answers reflection. */
export interface Reflecting {
  /** What it says now; may be changed while it runs. */
  files: readonly FileDescriptorProto[]
  readonly versions: readonly ('v1' | 'v1alpha')[]
  /** Whether a file comes with all that it imports, or alone. */
  readonly withImports?: boolean
  /** Answers everything with this instead. */
  instead?: object
  /** Never answers. */
  readonly silent?: boolean
}

/** A grpc-js server with reflection, and what it was asked. */
export interface ReflectingBackend {
  readonly url: string
  readonly port: number
  readonly reflecting: Reflecting
  /** `v1 symbol a.Things`, oldest first. */
  readonly asked: string[]
  close(): Promise<void>
}

interface Question {
  readonly file_by_filename?: string
  readonly file_containing_symbol?: string
  readonly list_services?: string
}

/** Starts one, with services of its own where it has any. */
export async function startReflecting(
  t: TestContext,
  reflecting: Reflecting,
  {
    port = 0,
    services = [],
  }: {
    readonly port?: number
    readonly services?: readonly (readonly [ServiceDefinition, UntypedServiceImplementation])[]
  } = {},
): Promise<ReflectingBackend> {
  const server = new Server()
  const asked: string[] = []
  for (const version of reflecting.versions) {
    server.addService(reflectionService(t, version), {
      ServerReflectionInfo: (call: ServerDuplexStream<Question, object>) => {
        call.on('data', (question: Question) => {
          asked.push(`${version} ${shown(question)}`)
          if (reflecting.silent !== true) call.write(reflecting.instead ?? answer(question, reflecting))
        })
        call.on('end', () => call.end())
        call.on('error', () => {})
      },
    })
  }
  for (const [definition, implementation] of services) server.addService(definition, implementation)
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    )
  })
  const close = async (): Promise<void> => server.forceShutdown()
  t.after(close)
  return { url: `http://127.0.0.1:${bound}`, port: bound, reflecting, asked, close }
}

function shown(question: Question): string {
  if (question.file_by_filename !== undefined) return `file ${question.file_by_filename}`
  if (question.file_containing_symbol !== undefined) return `symbol ${question.file_containing_symbol}`
  return 'services'
}

function answer(question: Question, { files, withImports = false }: Reflecting): object {
  const { file_by_filename: name, file_containing_symbol: symbol } = question
  if (name === undefined && symbol === undefined) {
    const service = files.flatMap((file) =>
      file.service.map((one) => ({ name: `${file.package}.${one.name}` })),
    )
    return { list_services_response: { service } }
  }
  const found = files.find((file) =>
    symbol === undefined
      ? file.name === name
      : file.service.some((one) => `${file.package}.${one.name}` === symbol),
  )
  if (found === undefined) return { error_response: { error_code: 5, error_message: 'not here' } }
  const sent = withImports ? [found, ...files.filter((file) => file !== found)] : [found]
  return {
    file_descriptor_response: {
      file_descriptor_proto: sent.map((file) => toBinary(FileDescriptorProtoSchema, file)),
    },
  }
}

function reflectionService(t: TestContext, version: string): ServiceDefinition {
  const path = folderOf(t, {
    'reflection.proto': `syntax = "proto3"; package grpc.reflection.${version};
service ServerReflection { rpc ServerReflectionInfo(stream ServerReflectionRequest) returns (stream ServerReflectionResponse); }
message ServerReflectionRequest {
  string host = 1;
  oneof message_request { string file_by_filename = 3; string file_containing_symbol = 4; string list_services = 7; }
}
message ServerReflectionResponse {
  string valid_host = 1; ServerReflectionRequest original_request = 2;
  oneof message_response {
    FileDescriptorResponse file_descriptor_response = 4;
    ListServiceResponse list_services_response = 6;
    ErrorResponse error_response = 7;
  }
}
message FileDescriptorResponse { repeated bytes file_descriptor_proto = 1; }
message ListServiceResponse { repeated ServiceResponse service = 1; }
message ServiceResponse { string name = 1; }
message ErrorResponse { int32 error_code = 1; string error_message = 2; }`,
  })
  const definitions = loadSync(path('reflection.proto'), { keepCase: true, oneofs: false })
  return definitions[`grpc.reflection.${version}.ServerReflection`] as ServiceDefinition
}
