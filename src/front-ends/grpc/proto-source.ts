import { create, createFileRegistry } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { builtInFiles } from './built-in-files.ts'
import { describeFiles } from './describe-files.ts'
import type { DescriptorSource } from './descriptors.ts'
import { readComments } from './proto-comments.ts'
import { type ProtoSources, readProtos } from './proto-files.ts'
import { ProtoText, word } from './proto-place.ts'

/** `.proto` files, and always `google/rpc`. Throws an Error that names the file, and the line where it is known. */
export function protoSource(sources: ProtoSources): DescriptorSource {
  const root = readProtos(sources)
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
      const options: readonly object[] =
        root.lookupService(parent.typeName).methods[name]?.parsedOptions ?? []
      return (Object.assign({}, ...options) as Readonly<Record<string, unknown>>)['(google.api.http)']
    },
  }
}
