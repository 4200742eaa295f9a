import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  type FileRegistry,
} from '@bufbuild/protobuf'
import * as wkt from '@bufbuild/protobuf/wkt'
import type protobuf from 'protobufjs'
import { describeFiles } from './describe-files.ts'
import { type HttpBinding, readHttpRule } from './http-rule.ts'
import { type ProtoComments, readComments } from './proto-comments.ts'
import { type ProtoSources, readProtos, shownPath } from './proto-files.ts'

/** One method of a service, as the front-end needs it; where its descriptors came from is forgotten here. */
export interface RpcMethod {
  readonly desc: DescMethod
  /** `/library.v1.LibraryService/GetBook`, as gRPC writes it into `:path`. */
  readonly path: string
  /** Where it was written, for messages: `protos/library/v1/library.proto: library.v1.LibraryService.GetBook`. */
  readonly origin: string
  readonly bindings: readonly HttpBinding[]
}

/** All types that were read, and the methods of their services. */
export interface Descriptors {
  readonly registry: FileRegistry
  readonly comments: ProtoComments
  /** Throws an Error for a service that was not read. */
  methodsOf(service: string): readonly RpcMethod[]
}

/** Loads `.proto` files. The well-known types are those of @bufbuild/protobuf. */
export function loadDescriptors(sources: ProtoSources): Descriptors {
  const root = readProtos(sources)
  const known = createFileRegistry(create(wkt.FileDescriptorSetSchema, { file: wellKnownFiles }))
  const described = describeFiles(root, known)
  const set = create(wkt.FileDescriptorSetSchema, { file: [...wellKnownFiles, ...described] })
  const registry = createFileRegistry(set)
  return {
    registry,
    comments: readComments(root),
    methodsOf(name) {
      const service = registry.getService(name)
      if (service === undefined)
        throw new Error(`service "${name}" is in none of the protos${suggestion(registry)}`)
      return rpcMethods(service, root.lookupService(name))
    },
  }
}

function rpcMethods(service: DescService, parsed: protobuf.Service): RpcMethod[] {
  return service.methods.map((desc) => {
    const origin = `${shownPath(service.file.proto.name)}: ${service.typeName}.${desc.name}`
    return {
      desc,
      path: `/${service.typeName}/${desc.name}`,
      origin,
      bindings: readHttpRule(Object.assign({}, ...(parsed.methods[desc.name]?.parsedOptions ?? [])), origin),
    }
  })
}

function suggestion(registry: FileRegistry): string {
  const names = [...registry].filter((desc) => desc.kind === 'service').map((desc) => desc.typeName)
  return names.length === 0 ? '' : ` (there are: ${names.join(', ')})`
}

/** In the order of their imports. */
const wellKnownFiles = [
  wkt.file_google_protobuf_descriptor,
  wkt.file_google_protobuf_any,
  wkt.file_google_protobuf_source_context,
  wkt.file_google_protobuf_type,
  wkt.file_google_protobuf_api,
  wkt.file_google_protobuf_duration,
  wkt.file_google_protobuf_empty,
  wkt.file_google_protobuf_field_mask,
  wkt.file_google_protobuf_struct,
  wkt.file_google_protobuf_timestamp,
  wkt.file_google_protobuf_wrappers,
].map((file) => file.proto)
