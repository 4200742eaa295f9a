import { type DescriptorSetFile, descriptorSetSource } from './descriptor-set.ts'
import { combine, type Descriptors } from './descriptors.ts'
import { protoSource } from './proto-source.ts'
import type { ReflectedServices } from './reflection/reflected-schema.ts'

/** Where descriptors come from. */
export interface DescriptorOptions {
  /** Absolute paths of `.proto` files. */
  readonly protoFiles: readonly string[]
  /** Absolute; google/api, google/rpc, google/type and google/protobuf are always found. */
  readonly includeDirs: readonly string[]
  /** Default: none. */
  readonly descriptorSets?: readonly DescriptorSetFile[]
  /** Backends that are asked for services which no file declares. Default: none. */
  readonly reflection?: readonly Reflector[]
}

/** The backends of one upstream, as they describe themselves. */
export interface Reflector {
  readonly upstream: { readonly name: string }
  describe(services: readonly string[]): Promise<ReflectedServices>
}

/** All descriptors, and the services that a backend is still to describe, each with the reason. */
export interface Gathered {
  readonly descriptors: Descriptors
  readonly missing: ReadonlyMap<string, string>
}

interface Wanted {
  readonly name: string
  readonly destination: { readonly upstream: { readonly name: string } }
}

/** Reads files first, then asks the backends for what is not in them. Rejects with an Error that names the source. */
export async function gatherDescriptors(
  { protoFiles, includeDirs, descriptorSets = [], reflection = [] }: DescriptorOptions,
  services: readonly Wanted[],
): Promise<Gathered> {
  const files = [protoSource({ files: protoFiles, includeDirs }), ...descriptorSets.map(descriptorSetSource)]
  const open = services.filter(({ name }) =>
    files.every(({ registry }) => registry.getService(name) === undefined),
  )
  const answers = await Promise.all(
    reflection.map((reflector) => {
      const own = open.filter(({ destination }) => destination.upstream.name === reflector.upstream.name)
      return reflector.describe(own.map(({ name }) => name))
    }),
  )
  return {
    descriptors: combine([...files, ...answers.flatMap(({ source }) => source ?? [])]),
    missing: new Map(answers.flatMap(({ missing }) => [...missing])),
  }
}
