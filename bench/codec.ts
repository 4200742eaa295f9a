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
import { median } from './median.ts'

// `node bench/codec.ts`: CPU time of turning one book from JSON into a message and back, by the gateway's codec, by
// protobufjs in the way of @grpc/proto-loader, and by @bufbuild/protobuf.

const rounds = 41
const messagesPerTurn = 10_000
/** What the codec has set out to be: so many times as fast as protobufjs. */
const aim = 1.5

const protos = join(import.meta.dirname, '../protos')
const libraryProto = join(protos, 'library/v1/library.proto')

const book = {
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

function main(): void {
  const { registry } = loadDescriptors({ files: [libraryProto], includeDirs: [protos] })
  const desc = registry.getMessage('library.v1.Book')
  if (desc === undefined) throw new Error('there is no library.v1.Book')
  const json = Buffer.from(JSON.stringify(book))
  const wire = toBinary(desc, fromJson(desc, book))
  const codecs = [generated(desc, registry), protobufjs(), bufbuild(desc)].map((codec) => ({
    json,
    wire,
    ...codec,
  }))
  for (const codec of codecs) requireSame(codec, wire)
  const directions = ['request', 'response'] as const
  const micros = new Map<string, number[]>()
  for (let round = -10; round < rounds; round++) {
    for (const codec of codecs) {
      for (const direction of directions) {
        const spent =
          direction === 'request' ? turn(codec.request, codec.json) : turn(codec.response, codec.wire)
        const key = `${codec.name} ${direction}`
        if (round >= 0) micros.set(key, [...(micros.get(key) ?? []), spent])
      }
    }
  }
  const medianOf = (name: string, direction: string): number =>
    median(micros.get(`${name} ${direction}`) ?? [])
  const rows = codecs.map(({ name }) => {
    const cells = directions.map((direction) => {
      const mine = medianOf('generated', direction)
      const spent = medianOf(name, direction)
      return `${spent.toFixed(2).padStart(7)} ${`${(spent / mine).toFixed(2)}x`.padStart(7)}`
    })
    return `${name.padEnd(12)}${cells.join('  ')}`
  })
  const reached = directions.map(
    (direction) => medianOf('protobufjs', direction) / medianOf('generated', direction),
  )
  process.stdout.write(
    `µs CPU per message, ${json.length} bytes of JSON, ${wire.length} on the wire, median of ${rounds} rounds\n` +
      `            request          response\n${rows.join('\n')}\n` +
      `at least ${aim} times as fast as protobufjs: ${Math.min(...reached) >= aim ? 'yes' : 'no'}\n`,
  )
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
function protobufjs(): Omit<Codec, 'wire'> {
  const root = new protobuf.Root()
  const google = join(import.meta.dirname, '../node_modules/google-proto-files')
  root.resolvePath = (origin, target) =>
    target.startsWith('google/api') ? join(google, target) : protobuf.util.path.resolve(origin, target)
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

function turn<T>(run: (input: T) => unknown, input: T): number {
  const before = process.cpuUsage()
  for (let i = 0; i < messagesPerTurn; i++) run(input)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / messagesPerTurn
}

main()
