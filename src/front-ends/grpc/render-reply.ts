import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type JsonObject,
  type Registry,
  toJson,
} from '@bufbuild/protobuf'
import { GatewayError } from '../../core/error.ts'
import { compileCodec } from './codec/codec.ts'
import { isHttpBody, readHttpBody } from './http-body.ts'
import { cutField, isCuttable } from './message-field.ts'

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
  const part = field !== undefined && isCuttable(field) ? field : undefined
  if (isHttpBody(part?.message ?? desc) && (field === undefined || part !== undefined)) {
    const render = orBadAnswer(desc, (bytes) => {
      const { contentType, data } = readHttpBody(
        part === undefined ? bytes : (cutField(bytes, part) ?? nothing),
      )
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
  if (part !== undefined) {
    const codec = compileCodec(part.message, { ...style, ignoreUnknown: false, registry })
    const render = orBadAnswer(desc, (bytes): Rendered => {
      const cut = cutField(bytes, part)
      return cut === undefined ? json(fallback) : { contentType: 'application/json', body: codec.toJson(cut) }
    })
    return { raw: false, render }
  }
  const render = orBadAnswer(desc, (bytes) =>
    json((toJson(desc, fromBinary(desc, bytes), options) as JsonObject)[key] ?? fallback),
  )
  return { raw: false, render }
}

function json(value: unknown): Rendered {
  return { contentType: 'application/json', body: JSON.stringify(value) }
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

const nothing = new Uint8Array(0)
