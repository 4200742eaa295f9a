import { createRegistry, type DescMethod, type DescService, type Registry } from '@bufbuild/protobuf'
import { type HttpBinding, readHttpRule } from './http-rule.ts'
import type { ProtoComments } from './proto-comments.ts'
import type { ProtoSources } from './proto-files.ts'
import { shownPath } from './proto-place.ts'
import { protoSource } from './proto-source.ts'
import { shapeOf } from './type-shape.ts'

/** One method of a service, as the front-end needs it; where its descriptors came from is forgotten here. */
export interface RpcMethod {
  readonly desc: DescMethod
  /** `/library.v1.LibraryService/GetBook`, as gRPC writes it into `:path`. */
  readonly path: string
  /** Where it was written, for messages: `protos/library/v1/library.proto:20:3: library.v1.LibraryService.GetBook`. */
  readonly origin: string
  readonly bindings: readonly HttpBinding[]
}

/** What one source of descriptors gave: `.proto` files, a descriptor set, or a backend that was asked. Complete in itself. */
export interface DescriptorSource {
  /** For messages: `build/library.binpb`. */
  readonly name: string
  readonly registry: Registry
  readonly comments: ProtoComments
  /** Where a method was written, for messages. */
  placeOf(method: DescMethod): string
  /** The `google.api.http` rule of a method with its fields in snake case; undefined when it has none. */
  httpRule(method: DescMethod): unknown
}

/** All types that were read, and the methods of their services. */
export interface Descriptors {
  readonly registry: Registry
  readonly comments: ProtoComments
  /** Throws an Error for a service that was not read. */
  methodsOf(service: string): readonly RpcMethod[]
}

/** Loads `.proto` files, and puts what other sources gave beside them. */
export function loadDescriptors(protos: ProtoSources, others: readonly DescriptorSource[] = []): Descriptors {
  return combine([protoSource(protos), ...others])
}

/** Several sources as one. What two of them define alike is one; throws an Error that names both when they differ. */
export function combine(sources: readonly DescriptorSource[]): Descriptors {
  refuseDifferences(sources)
  // Of two registries the later wins in createRegistry; here the first does, so that a service goes with its own types.
  const registry = createRegistry(...sources.map((source) => source.registry).reverse())
  return {
    registry,
    comments: new Map(sources.toReversed().flatMap(({ comments }) => [...comments])),
    methodsOf(name) {
      const source = sources.find((one) => one.registry.getService(name) !== undefined)
      const service = source?.registry.getService(name)
      if (source === undefined || service === undefined)
        throw new Error(`service "${name}" is in none of the protos${suggestion(registry)}`)
      return rpcMethods(service, source)
    },
  }
}

function rpcMethods(service: DescService, source: DescriptorSource): RpcMethod[] {
  return service.methods.map((desc) => {
    const origin = `${source.placeOf(desc)}: ${service.typeName}.${desc.name}`
    return {
      desc,
      path: `/${service.typeName}/${desc.name}`,
      origin,
      bindings: readHttpRule(source.httpRule(desc), origin),
    }
  })
}

/** Files of Google's own come in many versions, and every source has its own copy: they are not compared. */
const everywhere = /^google\.(?:protobuf|api|rpc)\./

function refuseDifferences(sources: readonly DescriptorSource[]): void {
  if (sources.length < 2) return
  const seen = new Map<string, { readonly shape: string; readonly where: string }>()
  for (const { name, registry } of sources) {
    for (const desc of registry) {
      if (desc.kind === 'extension' || everywhere.test(desc.typeName)) continue
      const file = shownPath(desc.file.proto.name)
      const here = { shape: shapeOf(desc), where: name === '' ? file : `${name} (${file})` }
      const other = seen.get(desc.typeName)
      if (other === undefined) seen.set(desc.typeName, here)
      else if (other.shape !== here.shape) {
        throw new Error(
          `${desc.kind} ${desc.typeName} is not the same in ${other.where} and in ${here.where}: ${difference(other.shape, here.shape)}`,
        )
      }
    }
  }
}

/** The first line that one has and the other lacks. */
function difference(a: string, b: string): string {
  const [left, right] = [a.split('\n'), b.split('\n')]
  const only = left.find((line) => !right.includes(line))
  if (only !== undefined) return `only the first has "${only}"`
  return `only the second has "${right.find((line) => !left.includes(line))}"`
}

function suggestion(registry: Registry): string {
  const names = [...registry].filter((desc) => desc.kind === 'service').map((desc) => desc.typeName)
  return names.length === 0 ? '' : ` (there are: ${names.join(', ')})`
}
