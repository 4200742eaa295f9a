import type { DescField, DescMessage } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/** A field that holds one message, outside of oneofs, encoded with a length: its bytes can be cut out of those around it. */
export function isCuttable(field: DescField): field is DescField & { readonly message: DescMessage } {
  return field.fieldKind === 'message' && field.oneof === undefined && !field.delimitedEncoding
}

/**
 * The bytes of such a field within an encoded message; undefined when it is not set. One that comes several times is all of them, because
 * messages behind each other are merged (protobuf.dev, "Encoding": last one wins). Throws an Error for bytes that are no message.
 */
export function cutField(message: Uint8Array, { number }: DescField): Uint8Array | undefined {
  const reader = new BinaryReader(message)
  let found: Uint8Array | undefined
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag()
    if (no !== number || wireType !== WireType.LengthDelimited) reader.skip(wireType, no)
    else found = found === undefined ? reader.bytes() : Buffer.concat([found, reader.bytes()])
  }
  return found
}
