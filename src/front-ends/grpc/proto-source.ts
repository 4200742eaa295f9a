import { create, createFileRegistry } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import type { ServiceDefinition } from '@grpc/proto-loader'
import { builtInFiles } from './built-in-files.ts'
import { describeFiles } from './describe-files.ts'
import type { DescriptorSource } from './descriptors.ts'
import { readComments } from './proto-comments.ts'
import { type ProtoSources, readProtos } from './proto-files.ts'
import { ProtoText, word } from './proto-place.ts'

/** `.proto` files, and always `google/rpc`. Throws an Error that names the file, and the line where it is known. */
export function protoSource(sources: ProtoSources): DescriptorSource {
  const { root, definitions } = readProtos(sources)
  const known = createFileRegistry(create(FileDescriptorSetSchema, { file: [...builtInFiles] }))
  const described = describeFiles(root, known)
  const texts = new Map<string, ProtoText>()
  return {
    // Its places are files already.
    name: '',
    registry: createFileRegistry(create(FileDescriptorSetSchema, { file: [...builtInFiles, ...described] })),
    comments: readComments(root),
    placeOf({ parent, name }) {
      const file = parent.file.proto.name
      const text = texts.get(file) ?? new ProtoText(file)
      texts.set(file, text)
      return text.placeOf(
        new RegExp(`\\bservice\\s+${word(parent.name)}`),
        new RegExp(`\\brpc\\s+${word(name)}`),
      )
    },
    httpRule({ parent, name }) {
      const options: object | undefined = (definitions[parent.typeName] as ServiceDefinition)[name]?.options
      return (options as Readonly<Record<string, unknown>> | undefined)?.['(google.api.http)']
    },
  }
}
