import type { DescMessage, Message } from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

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

/** What an HttpBody message holds; a content type that no header could carry becomes `application/octet-stream`. */
export function readHttpBody(desc: DescMessage, message: Message): HttpBody {
  const fields = reflect(desc, message)
  const fieldValue = (name: string): unknown => {
    const field = desc.fields.find((one) => one.name === name)
    return field === undefined ? undefined : fields.get(field)
  }
  const contentType = fieldValue('content_type')
  const data = fieldValue('data')
  return {
    contentType:
      typeof contentType === 'string' && /^[\x20-\x7e]+$/.test(contentType)
        ? contentType
        : 'application/octet-stream',
    data: data instanceof Uint8Array ? data : new Uint8Array(0),
  }
}
