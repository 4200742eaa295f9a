import { deepStrictEqual, strictEqual } from 'node:assert/strict'
import { join } from 'node:path'
import {
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type Registry,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import protobuf from 'protobufjs'
import { createCodecs } from '../src/front-ends/grpc/codec/codec.ts'
import { loadDescriptors } from '../src/front-ends/grpc/descriptors.ts'
import { bigBook } from './books.ts'
import { type Aim, type ContestResult, type Figures, type Pace, resultOf } from './contest.ts'

/** Rounds for each one of a contest over the network: these are short. */
const roundsPerRound = 8
const warmUpRounds = 10
const bytesPerTurn = 3_000_000
/** What the codec has set out to be: at least 1.5 times as fast as protobufjs. */
const aims: readonly Aim[] = [{ reference: 'protobufjs', atMost: 1 / 1.5 }]

const protos = join(import.meta.dirname, '../protos')
const libraryProto = join(protos, 'library/v1/library.proto')

/** Any book of ours, in ProtoJSON. */
interface JsonBook {
  readonly published: string
  readonly [field: string]: JsonValue
}

const smallBook: JsonBook = {
  id: '9007199254740993',
  shelf: '42',
  title: 'The Left Hand of Darkness, and some other ways to read it in the winter weather',
  author: 'Ursula K. Le Guin',
  genre: 'SCIENCE',
  published: '1969-03-01T00:00:00Z',
  tags: ['classic', 'hugo', 'nebula'],
  attributes: { isbn: '9780441478125', language: 'en' },
  rating: 4.25,
}

/** One way to go from JSON to the wire and back. */
interface Codec {
  readonly name: string
  readonly json: Buffer
  readonly wire: Uint8Array
  request(json: Buffer): Uint8Array
  response(wire: Uint8Array): string
}

/** CPU time of turning a book from JSON into a message and back: by the gateway's codec, protobufjs in the way of @grpc/proto-loader, @bufbuild/protobuf. */
export function measureCodecs({ rounds }: Pick<Pace, 'rounds'>): ContestResult[] {
  const { registry } = loadDescriptors({ files: [libraryProto], includeDirs: [protos] })
  const desc = registry.getMessage('library.v1.Book')
  if (desc === undefined) throw new Error('there is no library.v1.Book')
  const books: readonly JsonBook[] = [smallBook, { id: '9007199254740993', shelf: '42', ...bigBook }]
  return books.flatMap((book) => {
    const json = Buffer.from(JSON.stringify(book))
    const wire = toBinary(desc, fromJson(desc, book))
    const codecs = [generated(desc, registry), protobufjs(book), bufbuild(desc)].map((codec) => ({
      json,
      wire,
      ...codec,
    }))
    for (const codec of codecs) requireSame(codec, wire)
    const sizes = { messages: Math.ceil(bytesPerTurn / json.length), rounds: rounds * roundsPerRound }
    return [
      resultOf(
        { title: `Codec: request, ${json.length} bytes of JSON to ${wire.length}`, aims },
        takeTurns(codecs, ({ request, json }) => request(json), sizes),
      ),
      resultOf(
        { title: `Codec: response, ${wire.length} bytes to ${json.length} of JSON`, aims },
        takeTurns(codecs, ({ response, wire }) => response(wire), sizes),
      ),
    ]
  })
}

function takeTurns(
  codecs: readonly Codec[],
  run: (codec: Codec) => unknown,
  { messages, rounds }: { readonly messages: number; readonly rounds: number },
): Map<string, Figures[]> {
  const turns = new Map(codecs.map(({ name }) => [name, [] as Figures[]]))
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const codec of codecs) {
      const before = process.cpuUsage()
      for (let i = 0; i < messages; i++) run(codec)
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) turns.get(codec.name)?.push({ cpuMicros: (user + system) / messages })
    }
  }
  return turns
}

function generated(desc: DescMessage, registry: Registry): Omit<Codec, 'json' | 'wire'> {
  const options = {
    emitDefaults: false,
    protoNames: false,
    enumsAsNumbers: false,
    ignoreUnknown: false,
    registry,
  }
  const codec = createCodecs(options)(desc)
  return {
    name: 'generated',
    request: (json) => codec.fromJson(json),
    response: (wire) => codec.toJson(wire),
  }
}

function bufbuild(desc: DescMessage): Omit<Codec, 'json' | 'wire'> {
  return {
    name: '@bufbuild',
    request: (json) => toBinary(desc, fromJson(desc, JSON.parse(json.toString()) as JsonValue)),
    response: (wire) => JSON.stringify(toJson(desc, fromBinary(desc, wire))),
  }
}

/** What proto-loader's serializers do. protobufjs has no JSON for Timestamp, so that it gets and gives its two fields. */
function protobufjs(book: JsonBook): Omit<Codec, 'wire'> {
  const root = new protobuf.Root()
  const google = join(import.meta.dirname, '../node_modules/google-proto-files')
  root.resolvePath = (origin, target) =>
    target.startsWith('google/') ? join(google, target) : protobuf.util.path.resolve(origin, target)
  const type = root.loadSync(libraryProto).lookupType('library.v1.Book')
  const options = { longs: String, enums: String, bytes: String, defaults: false }
  const published = { seconds: String(Date.parse(book.published) / 1_000) }
  return {
    name: 'protobufjs',
    json: Buffer.from(JSON.stringify({ ...book, published })),
    request: (json) => type.encode(type.fromObject(JSON.parse(json.toString()))).finish(),
    response: (wire) => JSON.stringify(type.toObject(type.decode(wire), options)),
  }
}

/** A codec that is faster because it does something else has not won. */
function requireSame({ name, json, wire, request, response }: Codec, expected: Uint8Array): void {
  strictEqual(Buffer.from(request(json)).toString('hex'), Buffer.from(expected).toString('hex'), name)
  deepStrictEqual(JSON.parse(response(wire)), JSON.parse(json.toString()), name)
}
