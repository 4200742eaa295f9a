/** What a protobuf message looks like as ProtoJSON, for those who know nothing of protobuf. */
export interface MessageShape {
  /** `library.v1.Book` */
  readonly name: string
  /** Names of its fields in JSON. */
  readonly fieldNames: readonly string[]
  /** The field of a name, that in JSON or that of the proto; undefined: there is none. */
  field(name: string): FieldShape | undefined
}

/** What one field of a message looks like. */
export interface FieldShape {
  /** `int64`, `repeated library.v1.Book`; for messages. */
  readonly type: string
  /** Of one item where it is a list. `time` is a text that Google defines; `any` may be any JSON, maps among it. */
  readonly kind:
    | 'text'
    | 'bytes'
    | 'boolean'
    | 'integer'
    | 'long'
    | 'number'
    | 'enum'
    | 'message'
    | 'time'
    | 'any'
  readonly isList: boolean
  /** Of a message. */
  readonly message: MessageShape | undefined
  /** Names of an enum's values, that of 0 first; empty for other kinds. */
  readonly values: readonly string[]
}
