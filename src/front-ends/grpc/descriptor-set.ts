import { fromBinary } from '@bufbuild/protobuf'
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { describedSource, missingImports } from './described-source.ts'
import type { DescriptorSource } from './descriptors.ts'

/** A `FileDescriptorSet` as `protoc --descriptor_set_out` and `buf build` write it. */
export interface DescriptorSetFile {
  /** As messages show it. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** Throws an Error that names the file and says what to do. */
export function descriptorSetSource({ name, bytes }: DescriptorSetFile): DescriptorSource {
  const { file: files } = parsed(name, bytes)
  const [missing] = missingImports(files)
  if (missing !== undefined) {
    throw new Error(
      `${name}: lacks "${missing.file}", which "${missing.importer}" imports; make it with protoc --include_imports, or with buf build`,
    )
  }
  return describedSource({ name, files })
}

function parsed(name: string, bytes: Uint8Array): FileDescriptorSet {
  let set: FileDescriptorSet | undefined
  let cause: unknown
  try {
    set = fromBinary(FileDescriptorSetSchema, bytes)
  } catch (error) {
    cause = error
  }
  // What is no descriptor set at all may still read as unknown fields.
  if (set === undefined || set.file.length === 0 || set.file.some((file) => file.name === '')) {
    const what = bytes.length === 0 ? 'is empty' : 'is cut off, or no descriptor set'
    throw new Error(
      `${name}: ${what}; make it with protoc --include_imports --descriptor_set_out=FILE, or with buf build -o FILE`,
      { cause },
    )
  }
  return set
}
