import type { DescMessage } from '@bufbuild/protobuf'
import type { JsonReader } from './json-reader.ts'
import type { JsonWriter } from './json-writer.ts'
import type { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** How the messages of one type are read and printed. Generated functions find those of other types by this object. */
export interface MessageType {
  readonly desc: DescMessage
  /** Whether its JSON is more than an object of its fields: an Any then has it under `value`. */
  readonly custom: boolean
  /**
   * Reads one JSON value and writes its fields. `only`: {@link wholeMessage}, {@link partialMessage}, or the number in
   * `desc.fields` of the one field that the JSON is for.
   */
  read(j: JsonReader, w: WireWriter, only: number): void
  /** Prints the message that goes from where `r` is to `end`. */
  print(r: WireReader, o: JsonWriter, end: number): void
  /** Like {@link print}, without the braces and with a comma behind each field. */
  printFields(r: WireReader, o: JsonWriter, end: number): void
}

/** Finds the type of a message, which may not be compiled yet. */
export interface MessageTypes {
  of(desc: DescMessage): MessageType
  /** By full name, for an Any. */
  named(typeName: string): MessageType | undefined
}

/** The whole message is read, with its required fields. */
export const wholeMessage = -1
/** The whole message is read, and required fields at its top may be absent. */
export const partialMessage = -2
