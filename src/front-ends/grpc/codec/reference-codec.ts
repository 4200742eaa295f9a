import { type DescMessage, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf'
import { GatewayError } from '../../../core/error.ts'
import { messageOf } from '../../../core/message-of.ts'
import { parseJsonBody } from '../json-body.ts'
import type { CodecOptions, MessageCodec } from './codec.ts'
import { faultPath } from './fault-path.ts'

/**
 * A codec by @bufbuild/protobuf, for where code generation is forbidden (`--disallow-code-generation-from-strings`). It is laxer and
 * slower than the generated one, and never lets required fields be absent.
 */
export function referenceCodec(desc: DescMessage, options: CodecOptions): MessageCodec {
  const { registry, ignoreUnknown } = options
  const style = {
    registry,
    alwaysEmitImplicit: options.emitDefaults,
    useProtoFieldName: options.protoNames,
    enumAsInteger: options.enumsAsNumbers,
  }
  const reading = { registry, ignoreUnknownFields: ignoreUnknown }
  return {
    toJson: (bytes) => JSON.stringify(toJson(desc, fromBinary(desc, bytes), style)),
    fromJson(json, { field } = {}) {
      const bytes = typeof json === 'string' ? Buffer.from(json) : json
      const value = parseJsonBody(bytes, { message: desc, field })
      const whole: JsonValue = field === undefined ? value : { [field.jsonName]: value }
      try {
        return toBinary(desc, fromJson(desc, whole, reading))
      } catch (cause) {
        const detail = messageOf(cause)
        const violations = [{ field: faultPath(desc, whole, reading) || fieldNamedIn(detail), detail }]
        throw new GatewayError('INVALID_ARGUMENT', `The body does not fit: ${detail}.`, { cause, violations })
      }
    },
  }
}

/** @bufbuild/protobuf names the field in its messages only: `cannot decode field library.v1.Book.id from JSON: …`. */
function fieldNamedIn(detail: string): string {
  return /^cannot decode \w+ (\S+)/.exec(detail)?.[1] ?? ''
}
