import type { DescMessage } from '@bufbuild/protobuf'
import { type FieldPlan, isPackable, keyCode, seenBits, tagOf } from './field-plan.ts'

/** JavaScript of the function `(j, w, only)` that reads the JSON of a message and writes its fields as they come. */
export function generateRead(desc: DescMessage, fields: readonly FieldPlan[]): string {
  const required = fields.filter((field) => field.required)
  // A required field that is null was seen, and is missing all the same.
  const filledBit = (field: FieldPlan): number =>
    desc.fields.length + desc.oneofs.length + required.indexOf(field)
  const seen = seenBits(desc.fields.length + desc.oneofs.length + required.length)
  const cases = fields.map((field) => {
    const { index } = field
    const { oneof } = field.desc
    const oneofBit = desc.fields.length + (oneof === undefined ? 0 : desc.oneofs.indexOf(oneof))
    return `case ${index}:
if (${seen.has(index)}) throw j.duplicate()
${seen.add(index)}
${field.takesNull && isSingular(field) ? '' : 'if (j.null()) break'}
${field.required ? seen.add(filledBit(field)) : ''}
${oneof === undefined ? '' : `if (${seen.has(oneofBit)}) throw j.secondOfOneof()\n${seen.add(oneofBit)}`}
${readField(field)}
break
`
  })
  const check = required.map(
    (field) => `if (!(${seen.has(filledBit(field))})) throw j.missing(at, D.fields[${field.index}])`,
  )
  return `(j, w, only) => {
${required.length === 0 ? '' : 'const at = j.pos'}
${seen.declare}let v
let i = only < 0 ? j.firstKey(N) : only
while (i !== -1) {
switch (i) {
${cases.join('')}default:
unknownMember(j)
}
i = only < 0 ? j.nextKey(N) : -1
}
${check.length === 0 ? '' : `if (only === -1) {\n${check.join('\n')}\n}`}
}`
}

/** The same for a wrapper such as google.protobuf.Int64Value: its JSON is that of its one field. */
export function generateReadWrapper(field: FieldPlan): string {
  return `(j, w) => {
let v
if (j.null()) return
${readField({ ...field, implicit: true })}
}`
}

function isSingular({ desc }: FieldPlan): boolean {
  return desc.fieldKind !== 'list' && desc.fieldKind !== 'map'
}

function readField(field: FieldPlan): string {
  const { fieldKind } = field.desc
  if (fieldKind === 'list') return readList(field)
  if (fieldKind === 'map') return readMap(field)
  return field.code === undefined ? readMessage(field, field.tag) : readScalar(field)
}

function readScalar({ code, tag, implicit, desc }: FieldPlan): string {
  if (code === undefined) return ''
  const ignored = desc.enum === undefined ? '' : 'if (v === ignoredName) break'
  if (!implicit) return `${code.read}\n${ignored}\n${writeTag(tag)}\n${code.write}`
  if (code.read === '') {
    return `const mark = w.pos
${writeTag(tag)}
${code.write}
if (${code.isZero}) w.pos = mark`
      .replace(/^/, '{\n')
      .concat('\n}')
  }
  return `${code.read}
${ignored}
if (!(${code.isZero})) {
${writeTag(tag)}
${code.write}
}`
}

/** Where a null cannot stand, a message would take it for an empty wrapper. */
function readMessage({ link, wireType, desc }: FieldPlan, tag: number): string {
  if (wireType === 3) return `${writeTag(tag)}\nM[${link}].read(j, w, -1)\n${writeTag(tagOf(desc.number, 4))}`
  return `{
${writeTag(tag)}
const start = w.fork()
M[${link}].read(j, w, -1)
w.join(start)
}`
}

function readList(field: FieldPlan): string {
  const { code, tag, desc, takesNull } = field
  const items = (body: string): string =>
    `for (let more = j.firstItem(); more; more = j.nextItem()) {\n${body}\n}`
  if (code === undefined) return items(`${takesNull ? '' : 'j.notNull()'}\n${readMessage(field, tag)}`)
  const ignored = desc.enum === undefined ? '' : 'if (v === ignoredName) continue'
  if (!isPackable(field) || desc.fieldKind !== 'list' || !desc.packed)
    return items(
      code.read === ''
        ? `${writeTag(tag)}\n${code.write}`
        : `${code.read}\n${ignored}\n${writeTag(tag)}\n${code.write}`,
    )
  return `{
const mark = w.pos
${writeTag(tagOf(desc.number, 2))}
const start = w.fork()
${items(`${code.read}\n${ignored}\n${code.write}`)}
if (w.pos === start) w.pos = mark
else w.join(start)
}`
}

function readMap(field: FieldPlan): string {
  const { code, desc, takesNull, wireType, link } = field
  const key = keyCode(desc)
  const readKey = key.isBool
    ? 'w.byte(boolKey(j) ? 1 : 0)'
    : key.isText
      ? key.write
      : `${key.read}\n${key.write}`
  const ignored = desc.enum === undefined ? '' : 'if (v === ignoredName) {\nw.pos = mark\ncontinue\n}'
  const value =
    code === undefined
      ? `${takesNull ? '' : 'j.notNull()'}
w.byte(18)
const inner = w.fork()
M[${link}].read(j, w, -1)
w.join(inner)`
      : code.read === ''
        ? `w.byte(${tagOf(2, wireType)})\n${code.write}`
        : `${code.read}\n${ignored}\nw.byte(${tagOf(2, wireType)})\n${code.write}`
  return `{
const keys = new SeenKeys()
for (let more = j.firstMember(); more; more = j.nextMember()) {
const keyAt = j.pos
const mark = w.pos
${writeTag(field.tag)}
const start = w.fork()
w.byte(${tagOf(1, key.wireType)})
${readKey}
const keyEnd = w.pos
j.colon()
const valueAt = j.pos
${value}
const moved = w.join(start)
if (keys.add(w.bytes, start + moved, keyEnd + moved)) throw j.wrong(valueAt, 'is given more than once')
}
}`
}

function writeTag(tag: number): string {
  return tag < 128 ? `w.byte(${tag})` : `w.uint32(${tag})`
}
