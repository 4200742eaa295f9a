import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { GatewayError } from '../core/error.ts'

/** The files that one reading of a configuration depends on, each with what it held just before it was read. */
export class SeenFiles {
  readonly #fingerprints = new Map<string, string>()
  readonly #folders = new Set<string>()
  readonly #mayRead: (path: string) => boolean

  /** @param mayRead whether a file (absolute path) may be named by who wrote the configuration. Default: any. */
  constructor(mayRead: (path: string) => boolean = () => true) {
    this.#mayRead = mayRead
  }

  /** Absolute paths. */
  get paths(): readonly string[] {
    return [...this.#fingerprints.keys()]
  }

  /** Where a change of any of them shows; absolute. */
  get folders(): ReadonlySet<string> {
    return this.#folders
  }

  /** Notes a file (absolute path). Call it before reading: what changes in between is then noticed. Throws INVALID_ARGUMENT for one that may not be read. */
  see(file: string): void {
    this.#note(file, dirname(file))
  }

  /** Notes a folder for the names in it, because a pattern chooses among them. Throws as {@link see} does. */
  seeNames(folder: string): void {
    this.#note(folder, folder)
  }

  #note(path: string, folder: string): void {
    if (this.#fingerprints.has(path)) return
    if (!this.#mayRead(path))
      throw new GatewayError(
        'INVALID_ARGUMENT',
        `${path} is outside of the folder of the configuration: only who writes the file may name it`,
      )
    this.#folders.add(folder)
    this.#fingerprints.set(path, fingerprint(path))
  }

  /** Whether any of them holds something else by now. */
  changed(): boolean {
    return [...this.#fingerprints].some(([path, before]) => fingerprint(path) !== before)
  }
}

function fingerprint(path: string): string {
  const hash = createHash('sha256')
  try {
    return hash.update(readFileSync(path)).digest('hex')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') return 'absent'
    return hash.update(readdirSync(path).sort().join('/')).digest('hex')
  }
}
