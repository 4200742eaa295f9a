import { join } from 'node:path'
import type { DescMessage } from '@bufbuild/protobuf'
import {
  type CodecOptions,
  createCodecs,
  type MessageCodec,
} from '../../../../src/front-ends/grpc/codec/codec.ts'
import { loadDescriptors } from '../../../../src/front-ends/grpc/descriptors.ts'

const protos = join(import.meta.dirname, 'protos')
const { registry } = loadDescriptors({ files: [join(protos, 'wide.proto')], includeDirs: [protos] })

export { registry }

/** A message with one field of every kind. */
export const wide = messageNamed('wide.v1.Wide')
/** proto2: groups, required fields, defaults, closed enums. */
export const old = messageNamed('wide.v1.Old')

export const strict: CodecOptions = {
  emitDefaults: false,
  protoNames: false,
  enumsAsNumbers: false,
  ignoreUnknown: false,
  registry,
}

export function messageNamed(name: string): DescMessage {
  const desc = registry.getMessage(name)
  if (desc === undefined) throw new Error(`there is no ${name}`)
  return desc
}

/** A codec with some options of its own. */
export function codecFor(desc: DescMessage, options: Partial<CodecOptions> = {}): MessageCodec {
  return createCodecs({ ...strict, ...options })(desc)
}
