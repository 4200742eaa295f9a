import { createHash } from 'node:crypto'
import { clone, fromBinary } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import type { Channel } from '../channel.ts'
import { isBuiltIn } from '../described-source.ts'
import { type ReflectionAnswer, type ReflectionQuestion, reflectionPaths } from './reflection-messages.ts'
import { ReflectionEnded, ReflectionStream } from './reflection-stream.ts'

/** What a backend said of services. */
export interface ReflectedProgram {
  /** With all that they import, as far as the backend has it; by name. */
  readonly files: readonly FileDescriptorProto[]
  /** The services of those asked for that it knows. */
  readonly services: ReadonlySet<string>
  /** Why the others are not there. */
  readonly missing: ReadonlyMap<string, string>
  /** The same for the same files. */
  readonly digest: string
}

/** The most that is taken from a backend for one program. */
const maxFiles = 2_000
const maxBytes = 32 * 1024 * 1024

/**
 * Asks a backend for services and what they import: `grpc.reflection.v1`, or v1alpha where that is not served. Rejects with an Error in
 * words for operators, within `timeoutMs`.
 */
export async function fetchProgram(
  channel: Channel,
  { services, timeoutMs }: { readonly services: readonly string[]; readonly timeoutMs: number },
): Promise<ReflectedProgram> {
  const until = performance.now() + timeoutMs
  for (const path of reflectionPaths) {
    const stream = new ReflectionStream(channel, { path, timeoutMs: Math.max(1, until - performance.now()) })
    try {
      const program = await new Collection((question) => stream.ask(question)).collect(services)
      stream.finish()
      return program
    } catch (error) {
      if (!(error instanceof ReflectionEnded)) throw error
      if (error.end.code !== unimplemented) throw new Error(reasonOf(error), { cause: error })
    } finally {
      stream.cancel()
    }
  }
  throw new Error(
    'does not serve reflection (grpc.reflection.v1 or v1alpha): register it there, or use grpc.protos or grpc.descriptorSets',
  )
}

const unimplemented = 12

function reasonOf({ end, message }: ReflectionEnded): string {
  if (end.failure === 'deadline') return 'did not answer in time'
  return end.fromBackend ? `ended reflection with status ${end.code}: ${message}` : message
}

type Ask = (question: ReflectionQuestion) => Promise<ReflectionAnswer>

/** The files of one program while they come in. */
class Collection {
  readonly #ask: Ask
  readonly #files = new Map<string, { readonly file: FileDescriptorProto; readonly bytes: Uint8Array }>()
  #bytes = 0

  constructor(ask: Ask) {
    this.#ask = ask
  }

  async collect(services: readonly string[]): Promise<ReflectedProgram> {
    const missing = new Map<string, string>()
    for (const service of services) {
      const answer = await this.#ask({ symbol: service })
      if (answer.kind === 'files') this.#add(answer.files)
      if (!this.#declares(service)) missing.set(service, answer.kind === 'error' ? answer.message : '')
    }
    if (missing.size > 0) await this.#explain(missing)
    await this.#addImports()
    const all = [...this.#files.values()].sort((a, b) => (a.file.name < b.file.name ? -1 : 1))
    const hash = createHash('sha256')
    for (const { bytes } of all) hash.update(`${bytes.length}:`).update(bytes)
    return {
      files: all.map(({ file }) => this.#withoutUnknownImports(file)),
      services: new Set(services.filter((service) => !missing.has(service))),
      missing,
      digest: hash.digest('hex'),
    }
  }

  #add(files: readonly Uint8Array[]): void {
    for (const bytes of files) {
      const file = parsed(bytes)
      if (this.#files.has(file.name)) continue
      this.#bytes += bytes.length
      if (this.#bytes > maxBytes) throw new Error(`describes more than ${maxBytes} bytes`)
      if (this.#files.size >= maxFiles) throw new Error(`describes more than ${maxFiles} files`)
      this.#files.set(file.name, { file, bytes })
    }
  }

  /** A backend may send a file alone or with what it imports; what did not come is asked for, once. */
  async #addImports(): Promise<void> {
    const asked = new Set<string>()
    // A map is walked to the end of what is added on the way.
    for (const { file } of this.#files.values()) {
      for (const name of file.dependency) {
        if (this.#files.has(name) || isBuiltIn(name) || asked.has(name)) continue
        asked.add(name)
        if (asked.size > maxFiles) throw new Error(`imports more than ${maxFiles} files`)
        const answer = await this.#ask({ file: name })
        if (answer.kind === 'files') this.#add(answer.files)
      }
    }
  }

  /**
   * Some backends do not have the files that only declare options. Where types are needed from such a file, the program does not load and
   * the error names the type.
   */
  #withoutUnknownImports(file: FileDescriptorProto): FileDescriptorProto {
    const kept = file.dependency.filter((name) => this.#files.has(name) || isBuiltIn(name))
    if (kept.length === file.dependency.length) return file
    const copy = clone(FileDescriptorProtoSchema, file)
    copy.dependency = kept
    // Positions in the list that is shorter now.
    copy.publicDependency = []
    copy.weakDependency = []
    return copy
  }

  #declares(service: string): boolean {
    const dot = service.lastIndexOf('.')
    const [pkg, name] = [service.slice(0, Math.max(0, dot)), service.slice(dot + 1)]
    return [...this.#files.values()].some(
      ({ file }) => file.package === pkg && file.service.some((one) => one.name === name),
    )
  }

  async #explain(missing: Map<string, string>): Promise<void> {
    const answer = await this.#ask({ listServices: true })
    const names = answer.kind === 'services' ? answer.names.slice(0, 20) : []
    const has = names.length === 0 ? '' : `; it has ${names.join(', ')}`
    for (const [service, said] of missing) {
      missing.set(service, `does not describe ${service}${said === '' ? '' : ` (${said})`}${has}`)
    }
  }
}

function parsed(bytes: Uint8Array): FileDescriptorProto {
  try {
    return fromBinary(FileDescriptorProtoSchema, bytes)
  } catch (cause) {
    throw new Error('sent a file descriptor that does not parse', { cause })
  }
}
