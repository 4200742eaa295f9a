import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import type { Exchange } from '../../core/exchange.ts'
import { isRecord } from '../../core/is-record.ts'
import { compileJson, type JsonTemplate, onlyValue } from '../../core/json-template.ts'
import { Mistake, within } from '../../core/mistake.ts'
import { compileText, type Place } from '../../core/text-template.ts'
import { fieldsByName } from './field-path.ts'

/** What a request is compiled with. */
export interface RequestOptions {
  readonly place: Place
  /** Whether members that the message has not are left in. */
  readonly ignoreUnknown: boolean
}

/**
 * Compiles ProtoJSON in whose texts values may stand: `true` of a text is one where the field is a bool, and a repeated field has every value
 * of the name; numbers and enums are texts in ProtoJSON anyhow. Throws a Mistake for members that the message has not.
 */
export function compileRequest(
  written: Readonly<Record<string, unknown>>,
  message: DescMessage,
  options: RequestOptions,
): (x: Exchange) => Record<string, unknown> {
  const fields = fieldsByName(message)
  const members = Object.entries(written).map(([key, value]) => {
    const field = fields.get(key)
    if (field === undefined && !options.ignoreUnknown)
      throw new Mistake([key], `${message.typeName} has no such field`)
    return [key, within([key], () => compileMember(value, field, options))] as const
  })
  return (x) => {
    const filled = members.map(([key, value]) => [key, value(x)] as const)
    return Object.fromEntries(filled.filter(([, value]) => value !== undefined))
  }
}

function compileMember(
  written: unknown,
  field: DescField | undefined,
  options: RequestOptions,
): JsonTemplate {
  const isList = field?.fieldKind === 'list'
  if (isList && Array.isArray(written)) {
    const items = written.map((item, index) => within([index], () => compileItem(item, field, options)))
    return (x) => items.map((item) => item(x) ?? null)
  }
  if (isList && typeof written === 'string') return compileList(written, field, options)
  return field?.fieldKind === 'map'
    ? compileJson(written, options.place)
    : compileItem(written, field, options)
}

/** A repeated field that one text stands for: all values of its name, or the JSON that it is. */
function compileList(written: string, field: DescField, { place }: RequestOptions): JsonTemplate {
  const list = onlyValue(compileText(written, place))?.list
  if (list === undefined) return compileJson(written, place)
  return (x) => {
    const found = list(x)
    return found.length === 0 ? undefined : found.map((text) => scalarOf(text, field))
  }
}

function compileItem(written: unknown, field: DescField | undefined, options: RequestOptions): JsonTemplate {
  const message = field?.message
  // Messages of Google's own have JSON of their own kind.
  if (isRecord(written) && message !== undefined && !message.typeName.startsWith('google.protobuf.'))
    return compileRequest(written, message, options)
  const value = compileJson(written, options.place)
  return field === undefined ? value : (x) => scalarOf(value(x), field)
}

function scalarOf(value: unknown, { scalar }: DescField): unknown {
  if (scalar !== ScalarType.BOOL || (value !== 'true' && value !== 'false')) return value
  return value === 'true'
}
