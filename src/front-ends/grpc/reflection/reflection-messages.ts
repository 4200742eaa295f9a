import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/**
 * The messages of server reflection, `grpc/reflection/v1/reflection.proto`; v1alpha has the same ones on the wire.
 */
export type ReflectionQuestion =
  | { readonly symbol: string }
  | { readonly file: string }
  | { readonly listServices: true }

/** What a backend answered to one question. */
export type ReflectionAnswer =
  /** Encoded FileDescriptorProtos, at the least the one that was asked for. */
  | { readonly kind: 'files'; readonly files: readonly Uint8Array[] }
  | { readonly kind: 'services'; readonly names: readonly string[] }
  /** `code` is a `google.rpc.Code`. */
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  | { readonly kind: 'other' }

/** Paths of the one method, the newer first. */
export const reflectionPaths = [
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
] as const

/** A ServerReflectionRequest. */
export function encodeQuestion(question: ReflectionQuestion): Uint8Array {
  const [field, value] =
    'file' in question ? [3, question.file] : 'symbol' in question ? [4, question.symbol] : [7, '*']
  return new BinaryWriter()
    .tag(field as number, WireType.LengthDelimited)
    .string(value as string)
    .finish()
}

/** A ServerReflectionResponse. Throws for bytes that are none. */
export function decodeAnswer(bytes: Uint8Array): ReflectionAnswer {
  let answer: ReflectionAnswer = { kind: 'other' }
  eachField(bytes, (field, reader) => {
    if (field === 4) answer = { kind: 'files', files: repeatedBytes(reader.bytes()) }
    else if (field === 6) answer = { kind: 'services', names: repeatedBytes(reader.bytes()).map(nameOf) }
    else if (field === 7) answer = errorOf(reader.bytes())
    else return false
    return true
  })
  return answer
}

/** Field 1 of FileDescriptorResponse and of ListServiceResponse. */
function repeatedBytes(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  eachField(bytes, (field, reader) => {
    if (field !== 1) return false
    found.push(reader.bytes())
    return true
  })
  return found
}

function nameOf(service: Uint8Array): string {
  return Buffer.from(repeatedBytes(service)[0] ?? []).toString()
}

function errorOf(bytes: Uint8Array): ReflectionAnswer {
  let code = 2
  let message = ''
  eachField(bytes, (field, reader) => {
    if (field === 1) code = reader.int32()
    else if (field === 2) message = reader.string()
    else return false
    return true
  })
  return { kind: 'error', code, message }
}

/** Passes over the fields that `take` does not read. */
function eachField(bytes: Uint8Array, take: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (!take(field, reader)) reader.skip(wireType, field)
  }
}
