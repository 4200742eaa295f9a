import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type JsonObject,
  type Message,
  type Registry,
  toJson,
} from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import { GatewayError } from '../../core/error.ts'
import { compileCodec } from './codec/codec.ts'
import { isHttpBody, readHttpBody } from './http-body.ts'

/** How the answers of a service are written as JSON. */
export interface JsonStyle {
  /** Whether fields without presence are written when they have their default. */
  readonly emitDefaults: boolean
  /** Whether fields keep the names of the proto instead of lowerCamelCase. */
  readonly protoNames: boolean
  readonly enumsAsNumbers: boolean
}

/** An answer as it is sent. */
export interface Rendered {
  readonly contentType: string
  readonly body: string | Uint8Array
}

/** How the answers of one binding are rendered. */
export interface Rendering {
  /** Whether they are bytes with a content type of their own (`google.api.HttpBody`) instead of JSON. */
  readonly raw: boolean
  /** From the bytes of a reply message; throws UPSTREAM_BAD_ANSWER for bytes that are no such message. */
  render(bytes: Uint8Array): Rendered
}

/** Prepares the rendering of one binding's answers; `field` is its `response_body`. */
export function compileRendering(
  desc: DescMessage,
  field: DescField | undefined,
  { style, registry }: { readonly style: JsonStyle; readonly registry: Registry },
): Rendering {
  const options = {
    registry,
    alwaysEmitImplicit: style.emitDefaults,
    useProtoFieldName: style.protoNames,
    enumAsInteger: style.enumsAsNumbers,
  }
  const type = field === undefined ? desc : field.message
  if (type !== undefined && field?.fieldKind !== 'list' && field?.fieldKind !== 'map' && isHttpBody(type)) {
    const render = reading(desc, (message) => {
      const inner =
        field === undefined ? message : (reflect(desc, message).get(field) as ReflectMessage).message
      const { contentType, data } = readHttpBody(type, inner)
      return { contentType, body: data }
    })
    return { raw: true, render }
  }
  if (field === undefined) {
    const codec = compileCodec(desc, { ...style, ignoreUnknown: false, registry })
    const contentType = 'application/json'
    return { raw: false, render: orBadAnswer(desc, (bytes) => ({ contentType, body: codec.toJson(bytes) })) }
  }
  const key = style.protoNames ? field.name : field.jsonName
  const unset = toJson(desc, create(desc), { ...options, alwaysEmitImplicit: true }) as JsonObject
  const fallback = unset[key] ?? (field.fieldKind === 'message' ? {} : null)
  const part = (message: Message): Rendered =>
    json((toJson(desc, message, options) as JsonObject)[key] ?? fallback)
  return { raw: false, render: reading(desc, part) }
}

function json(value: unknown): Rendered {
  return { contentType: 'application/json', body: JSON.stringify(value) }
}

function reading(desc: DescMessage, render: (message: Message) => Rendered): Rendering['render'] {
  return orBadAnswer(desc, (bytes) => render(fromBinary(desc, bytes)))
}

function orBadAnswer(desc: DescMessage, render: Rendering['render']): Rendering['render'] {
  return (bytes) => {
    try {
      return render(bytes)
    } catch (cause) {
      throw new GatewayError('UPSTREAM_BAD_ANSWER', `The answer of the upstream is no ${desc.typeName}.`, {
        cause,
      })
    }
  }
}
