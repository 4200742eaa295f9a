import type { DescEnum, DescField, DescMessage, Registry } from '@bufbuild/protobuf'
import { printAny, readAny } from './any.ts'
import { base64 } from './base64.ts'
import { printDuration, readDuration } from './duration.ts'
import { EnumTable, ignoredName } from './enum-table.ts'
import { printFieldMask, readFieldMask } from './field-mask.ts'
import { type FieldPlan, type Links, planFields } from './field-plan.ts'
import { generatePrint, generatePrintWrapper, type PrintStyle } from './generate-print.ts'
import { generateRead, generateReadWrapper } from './generate-read.ts'
import { WireFault } from './json-fault.ts'
import { double, float, int32, int64, uint32, uint64 } from './json-number.ts'
import { unknownMember } from './json-skip.ts'
import { boolKey, string } from './json-string.ts'
import type { MessageType, MessageTypes } from './message-type.ts'
import { NameTable } from './name-table.ts'
import { SeenKeys } from './seen-keys.ts'
import { printListValue, printStruct, printValue, readListValue, readStruct, readValue } from './struct.ts'
import { printTimestamp, readTimestamp } from './timestamp.ts'
import { wrongType } from './wire-reader.ts'

/** What generated code depends on. */
export interface CompileOptions extends PrintStyle {
  readonly enumsAsNumbers: boolean
  readonly registry: Registry
}

/** The types of one set of options, each compiled when it is first used. */
export class CompiledTypes implements MessageTypes {
  readonly #options: CompileOptions
  readonly #types = new Map<DescMessage, MessageType>()
  readonly #enums = new Map<DescEnum, EnumTable>()

  constructor(options: CompileOptions) {
    this.#options = options
  }

  of(desc: DescMessage): MessageType {
    let type = this.#types.get(desc)
    if (type === undefined) {
      type = this.#wellKnown(desc) ?? this.#lazy(desc)
      this.#types.set(desc, type)
    }
    return type
  }

  named(typeName: string): MessageType | undefined {
    const desc = this.#options.registry.getMessage(typeName)
    return desc === undefined ? undefined : this.of(desc)
  }

  #compile(desc: DescMessage): Generated {
    const json: Uint8Array[] = []
    const messages: MessageType[] = []
    const enums: EnumTable[] = []
    const links: Links = {
      messages,
      enums,
      json,
      message: (field) => messages.push(this.of(field.message as DescMessage)) - 1,
      enum: (field) => enums.push(this.#enum(field)) - 1,
      piece: (text) => json.push(Buffer.from(text)) - 1,
    }
    const fields = planFields(desc, links)
    const wrapped = wrapperField(desc, fields)
    const read = wrapped === undefined ? generateRead(desc, fields) : generateReadWrapper(wrapped)
    const print =
      wrapped === undefined
        ? generatePrint(desc, fields, { links, style: this.#options })
        : generatePrintWrapper(wrapped, links)
    return build(`return {\nread: ${read},\nprint: ${print}\n}`, {
      ...runtime,
      D: desc,
      E: enums,
      K: json,
      M: messages,
      N: namesOf(desc),
    })
  }

  #enum(field: DescField): EnumTable {
    const desc = field.enum as DescEnum
    let table = this.#enums.get(desc)
    if (table === undefined) {
      table = new EnumTable(desc, { asNumbers: this.#options.enumsAsNumbers })
      this.#enums.set(desc, table)
    }
    return table
  }

  #lazy(desc: DescMessage): MessageType {
    let generated: Generated | undefined
    const custom = wrapperNames.has(desc.typeName)
    const compiled = (): Generated => {
      generated ??= this.#compile(desc)
      type.read = generated.read
      const { print } = generated
      if (custom) type.print = print
      else {
        type.printFields = print
        type.print = (r, o, end) => {
          r.enter()
          o.byte(0x7b)
          print(r, o, end)
          o.close(0x7d)
          r.depth--
        }
      }
      return generated
    }
    const type: { -readonly [K in keyof MessageType]: MessageType[K] } = {
      desc,
      custom,
      read: (j, w, only) => compiled().read(j, w, only),
      print: (r, o, end) => {
        compiled()
        type.print(r, o, end)
      },
      printFields: (r, o, end) => {
        compiled()
        type.printFields(r, o, end)
      },
    }
    return type
  }

  #wellKnown(desc: DescMessage): MessageType | undefined {
    const known =
      desc.typeName === 'google.protobuf.Any'
        ? {
            read: (j: Parameters<MessageType['read']>[0], w: Parameters<MessageType['read']>[1]) =>
              readAny(j, w, this),
            print: ((r, o, end) => printAny(r, o, end, this)) satisfies MessageType['print'],
          }
        : wellKnown[desc.typeName]
    return known === undefined ? undefined : { desc, custom: true, printFields: known.print, ...known }
  }
}

/** Whether this process may make code from strings (`--disallow-code-generation-from-strings`). */
export function mayGenerate(): boolean {
  try {
    build('return {}', {})
    return true
  } catch (cause) {
    if (cause instanceof EvalError) return false
    throw cause
  }
}

/** What the generated source gives. */
interface Generated {
  readonly read: MessageType['read']
  /** Of a wrapper the whole value, else the fields. */
  readonly print: MessageType['print']
}

/** The source has numbers in it and nothing else from descriptors: those may come from strangers. */
function build(source: string, names: Readonly<Record<string, unknown>>): Generated {
  const make = new Function(...Object.keys(names), `'use strict'\n${source}`)
  return make(...Object.values(names)) as Generated
}

function namesOf(desc: DescMessage): NameTable {
  const entries = desc.fields.map(({ name }, i) => [name, i] as const)
  return new NameTable([...desc.fields.map(({ jsonName }, i) => [jsonName, i] as const), ...entries])
}

function wrapperField(desc: DescMessage, fields: readonly FieldPlan[]): FieldPlan | undefined {
  return wrapperNames.has(desc.typeName) ? fields[0] : undefined
}

const runtime = {
  SeenKeys,
  base64,
  boolKey,
  double,
  float,
  ignoredName,
  int32,
  int64,
  missing: (field: DescField) => new WireFault(`The required field ${field.name} is missing.`),
  string,
  uint32,
  uint64,
  unknownMember,
  wrongType,
}

const wrapperNames: ReadonlySet<string> = new Set(
  ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'].map(
    (kind) => `google.protobuf.${kind}Value`,
  ),
)

const wellKnown: Readonly<Record<string, Pick<MessageType, 'read' | 'print'> | undefined>> = {
  'google.protobuf.Timestamp': { read: readTimestamp, print: printTimestamp },
  'google.protobuf.Duration': { read: readDuration, print: printDuration },
  'google.protobuf.FieldMask': { read: readFieldMask, print: printFieldMask },
  'google.protobuf.Struct': { read: readStruct, print: printStruct },
  'google.protobuf.Value': { read: readValue, print: printValue },
  'google.protobuf.ListValue': { read: readListValue, print: printListValue },
}
