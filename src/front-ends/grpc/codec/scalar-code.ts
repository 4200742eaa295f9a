import { ScalarType } from '@bufbuild/protobuf'

/** The lines of JavaScript that read and print the values of one scalar type. */
export interface ScalarCode {
  /** Protobuf wire type. */
  readonly wireType: 0 | 1 | 2 | 5
  /** Statement that reads a JSON value and leaves it in `v`, or in `j`; empty when `write` does both. */
  readonly read: string
  /** Statement that writes that value without a tag. For strings and bytes `v` is then their length. */
  readonly write: string
  /** Whether what was read is the default, as an expression; for strings and bytes after `write`. */
  readonly isZero: string
  /** Statement that takes the value from the wire `r`; empty when `print` does both. */
  readonly take: string
  /** Statement that prints it. */
  readonly print: string
  /** Whether what was taken is the default, as an expression; for strings and bytes before `print`. */
  readonly takenIsZero: string
  /** The default as JSON. */
  readonly zero: string
}

/** `lenient` is for strings of proto2, which may hold bytes that are no UTF-8. */
export function scalarCode(type: ScalarType, { lenient }: { readonly lenient: boolean }): ScalarCode {
  const number = (
    wireType: ScalarCode['wireType'],
    read: string,
    write: string,
    take: string,
  ): ScalarCode => ({
    wireType,
    read: `v = ${read}(j)`,
    write: `w.${write}(v)`,
    isZero: 'v === 0',
    take,
    print: 'o.int(x)',
    takenIsZero: 'x === 0',
    zero: '0',
  })
  const long = (wireType: ScalarCode['wireType'], read: string, write: string, take: string): ScalarCode => ({
    wireType,
    read: `${read}(j)`,
    write: `w.${write}(j.lo, j.hi)`,
    isZero: 'j.lo === 0 && j.hi === 0',
    take: `r.${take}()`,
    print: `o.${read}(r.lo, r.hi)`,
    takenIsZero: 'r.lo === 0 && r.hi === 0',
    zero: '"0"',
  })
  const floating = (wireType: ScalarCode['wireType'], name: string): ScalarCode => ({
    wireType,
    read: `v = ${name}(j)`,
    write: `w.${name}(v)`,
    // -0 is not the default.
    isZero: 'v === 0 && 1 / v > 0',
    take: `x = r.${name}()`,
    print: `o.${name}(x)`,
    takenIsZero: 'x === 0 && 1 / x > 0',
    zero: '0',
  })
  const text = (name: string, print: string): ScalarCode => ({
    wireType: 2,
    read: '',
    write: `v = ${name}(j, w)`,
    isZero: 'v === 0',
    take: 'x = r.length(end)',
    print,
    takenIsZero: 'x === r.pos',
    zero: '""',
  })
  switch (type) {
    case ScalarType.INT32:
      return number(0, 'int32', 'int32', 'r.varint(); x = r.lo | 0')
    case ScalarType.SINT32:
      return number(0, 'int32', 'sint32', 'x = r.zigzag32()')
    case ScalarType.UINT32:
      return number(0, 'uint32', 'uint32', 'r.varint(); x = r.lo >>> 0')
    case ScalarType.FIXED32:
      return number(5, 'uint32', 'fixed32', 'x = r.fixed32() >>> 0')
    case ScalarType.SFIXED32:
      return number(5, 'int32', 'fixed32', 'x = r.fixed32()')
    case ScalarType.INT64:
      return long(0, 'int64', 'varint64', 'varint')
    case ScalarType.SINT64:
      return long(0, 'int64', 'sint64', 'zigzag64')
    case ScalarType.UINT64:
      return long(0, 'uint64', 'varint64', 'varint')
    case ScalarType.FIXED64:
      return long(1, 'uint64', 'fixed64', 'fixed64')
    case ScalarType.SFIXED64:
      return long(1, 'int64', 'fixed64', 'fixed64')
    case ScalarType.FLOAT:
      return floating(5, 'float')
    case ScalarType.DOUBLE:
      return floating(1, 'double')
    case ScalarType.BOOL:
      return {
        wireType: 0,
        read: 'v = j.bool()',
        write: 'w.byte(v ? 1 : 0)',
        isZero: 'v === false',
        take: 'x = r.bool()',
        print: 'o.bool(x)',
        takenIsZero: 'x === false',
        zero: 'false',
      }
    case ScalarType.STRING:
      return text('string', lenient ? 'o.string(r, x, true)' : 'o.string(r, x)')
    case ScalarType.BYTES:
      return text('base64', 'o.base64(r, x)')
  }
}

/** Like a scalar, by table number `table` of the generated function. */
export function enumCode(table: number, first: number): ScalarCode {
  return {
    wireType: 0,
    read: `v = E[${table}].read(j)`,
    write: 'w.int32(v)',
    isZero: `v === ${first}`,
    take: 'r.varint(); x = r.lo | 0',
    print: `E[${table}].print(o, x)`,
    takenIsZero: `x === ${first}`,
    zero: '',
  }
}
