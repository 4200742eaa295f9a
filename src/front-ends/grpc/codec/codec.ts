import { isUtf8 } from 'node:buffer'
import { type DescField, type DescMessage, fromBinary, type Registry, toBinary } from '@bufbuild/protobuf'
import { GatewayError } from '../../../core/error.ts'
import { CompiledTypes, mayGenerate } from './compile.ts'
import { JsonFault, WireFault } from './json-fault.ts'
import { jsonPath } from './json-path.ts'
import { JsonReader } from './json-reader.ts'
import { JsonWriter } from './json-writer.ts'
import { type MessageType, partialMessage, wholeMessage } from './message-type.ts'
import { referenceCodec } from './reference-codec.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** Turns the messages of one type into JSON and back, by the rules of ProtoJSON (protobuf.dev, "ProtoJSON Format"). */
export interface MessageCodec {
  /** From the wire format. Throws an Error for bytes that are no such message, or that have no JSON. */
  toJson(bytes: Uint8Array): string
  /** To the wire format, from UTF-8. Throws INVALID_BODY for what is no JSON, INVALID_ARGUMENT naming the path for what does not fit. */
  fromJson(json: Buffer | string, part?: MessagePart): Uint8Array
}

/** What of a message a JSON text is. */
export interface MessagePart {
  /** The JSON is that of this one field. */
  readonly field?: DescField | undefined
  /** Required fields of proto2 at the top may be absent. Default: false. */
  readonly partial?: boolean
}

/** How JSON is written and read. */
export interface CodecOptions {
  /** Whether fields without presence are written when they have their default. */
  readonly emitDefaults: boolean
  /** Whether fields keep the names of the proto instead of lowerCamelCase. */
  readonly protoNames: boolean
  readonly enumsAsNumbers: boolean
  /** Whether unknown fields and names of enum values are passed over instead of refused. */
  readonly ignoreUnknown: boolean
  /** Where the types of Anys are found. */
  readonly registry: Registry
}

/** Makes codecs that share what they compile: one for each service, or for each set of options. */
export function createCodecs(options: CodecOptions): (desc: DescMessage) => MessageCodec {
  const types = new CompiledTypes(options)
  const tools = {
    reader: new JsonReader(),
    writer: new JsonWriter(),
    wireReader: new WireReader(),
    wireWriter: new WireWriter(),
  }
  const generates = mayGenerate()
  return (desc) =>
    generates ? generatedCodec(types.of(desc), tools, options) : referenceCodec(desc, options)
}

/** A codec for one message. It is generated code or, where that is forbidden, @bufbuild/protobuf. Asked again, it gives the same. */
export function compileCodec(desc: DescMessage, options: CodecOptions): MessageCodec {
  const styles = remembered.get(options.registry) ?? new Map<string, Remembered>()
  remembered.set(options.registry, styles)
  const { emitDefaults, protoNames, enumsAsNumbers, ignoreUnknown } = options
  const style = `${emitDefaults} ${protoNames} ${enumsAsNumbers} ${ignoreUnknown}`
  const known = styles.get(style) ?? { codecs: createCodecs(options), made: new Map() }
  styles.set(style, known)
  const codec = known.made.get(desc) ?? known.codecs(desc)
  known.made.set(desc, codec)
  return codec
}

interface Remembered {
  readonly codecs: (desc: DescMessage) => MessageCodec
  readonly made: Map<DescMessage, MessageCodec>
}

/** Goes with its registry when the protos are loaded anew. */
const remembered = new WeakMap<Registry, Map<string, Remembered>>()

interface Tools {
  readonly reader: JsonReader
  readonly writer: JsonWriter
  readonly wireReader: WireReader
  readonly wireWriter: WireWriter
}

function generatedCodec(type: MessageType, tools: Tools, { ignoreUnknown }: CodecOptions): MessageCodec {
  const { reader, writer, wireReader, wireWriter } = tools
  const { desc } = type
  const print = (bytes: Uint8Array): void => {
    writer.reset()
    wireReader.start(bytes)
    type.print(wireReader, writer, bytes.length)
    if (wireReader.pos !== bytes.length) throw new WireFault('The message is cut off.')
  }
  return {
    toJson(bytes) {
      wireReader.repairs = 0
      print(bytes)
      if (wireReader.odd) print(toBinary(desc, fromBinary(desc, bytes)))
      return writer.finish()
    },
    fromJson(json, { field, partial = false } = {}) {
      const bytes = asUtf8(json)
      const only =
        field === undefined ? (partial ? partialMessage : wholeMessage) : desc.fields.indexOf(field)
      try {
        wireWriter.reset()
        reader.start(bytes, ignoreUnknown)
        type.read(reader, wireWriter, only)
        reader.finish()
        return wireWriter.finish()
      } catch (cause) {
        if (cause instanceof JsonFault)
          throw refusal(cause, jsonPath(bytes, cause.offset, { message: desc, field }))
        throw cause
      }
    },
  }
}

function asUtf8(json: Buffer | string): Buffer {
  if (typeof json === 'string' ? json.isWellFormed() : isUtf8(json))
    return typeof json === 'string' ? Buffer.from(json) : json
  throw new GatewayError('INVALID_BODY', 'The body is not valid UTF-8.')
}

function refusal(fault: JsonFault, path: string): GatewayError {
  const violations = [{ field: path, detail: fault.message }]
  if (fault.kind === 'value') {
    const what = path === '' ? fault.message : `"${path}" ${fault.message}`
    return new GatewayError('INVALID_ARGUMENT', `The body does not fit: ${what}.`, { violations })
  }
  const where = `at byte ${fault.offset}${path === '' ? '' : `, in "${path}"`}`
  return new GatewayError('INVALID_BODY', `The body is not valid JSON ${where}: ${fault.message}.`, {
    violations,
  })
}
