import type { DescMessage } from '@bufbuild/protobuf'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** A `google.api.HttpBody`: bytes that are sent as they are, with their own content type. Source: `google/api/httpbody.proto`. */
export interface HttpBody {
  readonly contentType: string
  readonly data: Uint8Array
}

export function isHttpBody(desc: DescMessage): boolean {
  return desc.typeName === 'google.api.HttpBody'
}

/** An HttpBody that holds a request body, encoded: field 1 is its content type, 2 its data. */
export function httpBodyBytes(bytes: Buffer, contentType: string | undefined): Uint8Array {
  const writer = new BinaryWriter()
  if (contentType !== undefined) writer.tag(1, WireType.LengthDelimited).string(contentType)
  return writer.tag(2, WireType.LengthDelimited).bytes(bytes).finish()
}

/**
 * What an encoded HttpBody holds; a content type that no header could carry becomes `application/octet-stream`. Throws an Error for bytes
 * that are no message.
 */
export function readHttpBody(bytes: Uint8Array): HttpBody {
  const reader = new BinaryReader(bytes)
  let contentType = ''
  let data: Uint8Array = nothing
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag()
    const isText = wireType === WireType.LengthDelimited
    if (number === 1 && isText) contentType = reader.string()
    else if (number === 2 && isText) data = reader.bytes()
    else reader.skip(wireType, number)
  }
  return { contentType: /^[\x20-\x7e]+$/.test(contentType) ? contentType : 'application/octet-stream', data }
}

const nothing = new Uint8Array(0)
