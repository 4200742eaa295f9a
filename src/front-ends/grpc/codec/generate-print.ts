import type { DescMessage } from '@bufbuild/protobuf'
import { type FieldPlan, isGroup, isPackable, keyCode, type Links, seenBits, tagOf } from './field-plan.ts'

/** What decides how JSON is printed. */
export interface PrintStyle {
  readonly emitDefaults: boolean
  readonly protoNames: boolean
}

/**
 * JavaScript of the function `(r, o, end)` that prints the fields of a message as they come, a comma behind each. What comes
 * again, so that it would have to be merged, sets `r.odd`.
 */
export function generatePrint(
  desc: DescMessage,
  fields: readonly FieldPlan[],
  { links, style }: { readonly links: Links; readonly style: PrintStyle },
): string {
  const seen = seenBits(desc.fields.length + desc.oneofs.length)
  const cases = fields.map((field) => {
    const { oneof } = field.desc
    const bit = oneof === undefined ? field.index : desc.fields.length + desc.oneofs.indexOf(oneof)
    const key = `o.raw(K[${links.piece(`${JSON.stringify(style.protoNames ? field.desc.name : field.desc.jsonName)}:`)}])`
    return printField(field, {
      key,
      keepsDefault: style.emitDefaults,
      note: `if (${seen.has(bit)}) r.odd = true\nelse ${seen.add(bit)}`,
    })
  })
  const known = fields.map(({ desc: { number } }) => `case ${number}:`).join('\n')
  const required = fields.filter((field) => field.required)
  const absent = style.emitDefaults ? fields.filter((field) => defaultJson(field, links) !== undefined) : []
  return `(r, o, end) => {
${seen.declare}let x
let tag = r.tag(end)
while (tag !== 0) {
switch (tag) {
${cases.join('')}default:
${known === '' ? '' : `switch (tag >>> 3) {\n${known}\nthrow wrongType(tag)\n}`}
r.skip(tag, end)
}
tag = r.tag(end)
}
${required.map(({ index }) => `if (!(${seen.has(index)})) throw missing(D.fields[${index}])`).join('\n')}
${absent.map((field) => printDefault(field, { seen: seen.has(field.index), links, style })).join('\n')}
}`
}

/** The same for a wrapper such as google.protobuf.Int64Value: `print`, not the fields. */
export function generatePrintWrapper({ code, tag }: FieldPlan, links: Links): string {
  if (code === undefined) return ''
  return `(r, o, end) => {
r.enter()
let x
let at = -1
for (let tag = r.tag(end); tag !== 0; tag = r.tag(end)) {
if (tag === ${tag}) at = r.pos
else if (tag >>> 3 === 1) throw wrongType(tag)
r.skip(tag, end)
}
if (at < 0) o.raw(K[${links.piece(code.zero)}])
else {
r.pos = at
${code.take}
${code.print}
r.pos = end
}
r.depth--
}`
}

interface Printing {
  readonly key: string
  readonly keepsDefault: boolean
  /** Notes that the field was seen. */
  readonly note: string
}

function printField(field: FieldPlan, printing: Printing): string {
  const { fieldKind } = field.desc
  if (fieldKind === 'list') return printList(field, printing)
  if (fieldKind === 'map') return printMap(field, printing)
  const { code, tag } = field
  const { key, note } = printing
  if (code === undefined)
    return `case ${tag}: {\n${note}\n${key}\n${printMessage(field)}\no.byte(44)\nbreak\n}\n`
  const closed = field.desc.enum === undefined ? '' : `if (E[${field.link}].excludes(x)) break`
  const shown =
    field.implicit && !printing.keepsDefault
      ? `if (${code.takenIsZero}) ${code.wireType === 2 ? 'r.pos = x' : ''};\nelse {\n${key}\n${code.print}\no.byte(44)\n}`
      : `${key}\n${code.print}\no.byte(44)`
  return `case ${tag}:\n${code.take}\n${closed}\n${note}\n${shown}\nbreak\n`
}

function printMessage(field: FieldPlan): string {
  if (!isGroup(field.desc)) return `M[${field.link}].print(r, o, r.length(end))`
  return `const stop = r.group(${field.desc.number}, end)
const after = r.groupAfter
M[${field.link}].print(r, o, stop)
r.pos = after`
}

function printList(field: FieldPlan, { key, keepsDefault, note }: Printing): string {
  const { code, tag, desc } = field
  const open = `${note}\nconst mark = o.pos\n${key}\no.byte(91)`
  const close = keepsDefault
    ? 'o.close(93)\no.byte(44)'
    : 'if (o.bytes[o.pos - 1] === 91) o.pos = mark\nelse {\no.close(93)\no.byte(44)\n}'
  const item = code === undefined ? printMessage(field) : `${code.take}\n${code.print}`
  if (!isPackable(field)) {
    return `case ${tag}: {
${open}
do {
${item}
o.byte(44)
} while ((tag = r.tag(end)) === ${tag})
${close}
continue
}
`
  }
  const packedTag = tagOf(desc.number, 2)
  return `case ${packedTag}:
case ${tag}: {
${open}
do {
if (tag === ${packedTag}) {
const stop = r.length(end)
while (r.pos < stop) {
${item}
o.byte(44)
}
if (r.pos !== stop) throw wrongType(tag)
} else {
${item}
o.byte(44)
}
tag = r.tag(end)
} while (tag === ${packedTag} || tag === ${tag})
${close}
continue
}
`
}

function printMap(field: FieldPlan, { key, note }: Printing): string {
  const { code, tag, desc, link, wireType } = field
  const keys = keyCode(desc)
  const quotes = keys.isText || keys.zero.startsWith('"') ? '' : 'o.byte(34)'
  const noKey = keys.isText ? '""' : keys.zero.startsWith('"') ? keys.zero : `"${keys.zero}"`
  const value =
    code === undefined
      ? `r.pos = valueAt < 0 ? stop : valueAt
M[${link}].print(r, o, valueAt < 0 ? stop : r.length(stop))`
      : `if (valueAt < 0) ${desc.enum === undefined ? `o.ascii('${code.zero}')` : `E[${link}].print(o, E[${link}].first)`}
else {
r.pos = valueAt
${code.take}
${code.print}
}`
  return `case ${tag}: {
${note}
${key}
o.byte(123)
const keys = new SeenKeys()
do {
const stop = r.length(end)
r.entry(stop, ${tagOf(1, keys.wireType)}, ${tagOf(2, wireType)})
const { keyAt, valueAt } = r
const keyStart = o.pos
if (keyAt < 0) o.ascii('${noKey}')
else {
r.pos = keyAt
${quotes}
${keys.take}
${keys.print}
${quotes}
}
if (keys.add(o.bytes, keyStart, o.pos)) r.odd = true
o.byte(58)
${value}
r.pos = stop
o.byte(44)
} while ((tag = r.tag(end)) === ${tag})
o.close(125)
o.byte(44)
continue
}
`
}

/** What an absent field is printed as when defaults are wanted; undefined for fields with presence. */
function defaultJson({ desc, code, implicit }: FieldPlan, _links: Links): string | undefined {
  if (desc.fieldKind === 'list') return '[]'
  if (desc.fieldKind === 'map') return '{}'
  return implicit && desc.oneof === undefined ? code?.zero : undefined
}

function printDefault(
  field: FieldPlan,
  { seen, links, style }: { readonly seen: string; readonly links: Links; readonly style: PrintStyle },
): string {
  const name = JSON.stringify(style.protoNames ? field.desc.name : field.desc.jsonName)
  const json = defaultJson(field, links) ?? ''
  if (json === '')
    return `if (!(${seen})) {\no.raw(K[${links.piece(`${name}:`)}])\nE[${field.link}].print(o, E[${field.link}].first)\no.byte(44)\n}`
  return `if (!(${seen})) o.raw(K[${links.piece(`${name}:${json},`)}])`
}
