import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { Violation } from '../../core/error.ts'
import { isRecord } from '../../core/is-record.ts'
import { linearPattern } from './linear-pattern.ts'
import { pointerTo, said } from './violations.ts'

/** What is wrong with a value; empty: nothing. */
export type SchemaCheck = (value: unknown) => readonly Violation[]

/** A JSON Schema as JSON has it. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>

/** Numbers that were written as JSON has none (`0x10`, `010`, ` 10`): another reader may take them for others, or for none. */
function oddNumbers(written: unknown, read: unknown, at: string): readonly Violation[] {
  if (typeof read === 'number')
    return typeof written === 'string' && !jsonNumber.test(written)
      ? [{ field: at, detail: 'must be number' }]
      : []
  if (typeof read !== 'object' || read === null) return []
  return Object.entries(read).flatMap(([key, value]) => {
    // A text that a list was asked for has become the only one of it.
    const own =
      isRecord(written) || Array.isArray(written) ? (written as Record<string, unknown>)[key] : written
    return oddNumbers(own, value, `${at}/${key}`)
  })
}

/** RFC 8259 section 6. */
const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

interface CompilerOptions {
  readonly coerce?: boolean
  readonly lenient?: boolean
}

const maxViolations = 20

/**
 * Compiles JSON Schemas of draft 2020-12, formats asserted. Patterns are matched in linear time, and `uniqueItems` too, so that no value can keep
 * the process busy. `coerce`: texts stand for numbers, booleans and lists, as in queries. `lenient`: keywords and formats that are not known are taken
 * for annotations, as in a document that holds more than schemas. Throws an Error for a schema that is none, that uses
 * a pattern which cannot be matched so, or that points outside of itself.
 */
export class SchemaCompiler {
  readonly #first: Ajv2020
  readonly #all: Ajv2020

  readonly #coerces: boolean

  constructor(options: CompilerOptions = {}) {
    this.#coerces = options.coerce === true
    this.#first = compiler(options, false)
    this.#all = compiler(options, true)
  }

  /** Has `document` at hand under `id`, for schemas that point into it. */
  add(document: JsonSchema, id: string): void {
    this.#first.addSchema(document as object, id, false, false)
    this.#all.addSchema(document as object, id, false, false)
  }

  /** `at` is what violations say where they are: `#` makes `#/items/0`. */
  compile(schema: JsonSchema, at: string): SchemaCheck {
    const check = this.#first.compile(schema as object)
    let checkAll: ValidateFunction | undefined
    return (value) => {
      const written = this.#coerces ? structuredClone(value) : value
      if (check(value)) return this.#coerces ? oddNumbers(written, value, at) : []
      if (!isSmall(value)) return violationsOf(check.errors, at)
      // Only for what is refused, and small: of a large value the first mistake is enough.
      checkAll ??= this.#all.compile(schema as object)
      checkAll(value)
      return violationsOf(checkAll.errors ?? check.errors, at)
    }
  }
}

function compiler({ coerce = false, lenient = false }: CompilerOptions, allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors,
    coerceTypes: coerce ? 'array' : false,
    // The rest of ajv's strictness is a matter of taste.
    strict: false,
    strictSchema: !lenient,
    ownProperties: true,
    validateFormats: true,
    addUsedSchema: false,
    logger: false,
    code: { regExp: linearPattern },
  })
  formats.default(ajv)
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    errors: false,
    error: { message: 'must NOT have duplicate items' },
    validate: (wanted: boolean, items: readonly unknown[]) => !wanted || areUnique(items),
  })
  for (const annotation of annotations) ajv.addKeyword(annotation)
  return ajv
}

/** Of OpenAPI (3.1.1 section 4.8.24); they say nothing that could be checked. */
const annotations = ['discriminator', 'xml', 'externalDocs', 'example']

function areUnique(items: readonly unknown[]): boolean {
  const seen = new Set<string>()
  for (const item of items) {
    const text = canonical(item)
    if (seen.has(text)) return false
    seen.add(text)
  }
  return true
}

/** Equal for what is equal (JSON Schema core, section 4.2.2): the order of members does not count, 1.0 is 1. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

function violationsOf(errors: readonly ErrorObject[] | null | undefined, at: string): readonly Violation[] {
  const found: Violation[] = []
  for (const error of errors ?? []) {
    if (found.length === maxViolations) break
    // What follows from others says nothing new.
    if (error.keyword === 'if' || error.keyword === 'propertyNames') continue
    found.push({ field: pointerTo(error, at), detail: said(error) })
  }
  return found
}

/** Whether a value is small enough for all of its mistakes to be looked for: some thousand values. */
function isSmall(value: unknown): boolean {
  let left = 2_000
  const walk = (inner: unknown): boolean => {
    if (--left < 0) return false
    if (typeof inner === 'string') return inner.length < 65_536
    if (typeof inner !== 'object' || inner === null) return true
    return Object.values(inner).every(walk)
  }
  return walk(value)
}
