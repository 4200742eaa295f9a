import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The files that one reading of a configuration depends on, each with what it held just before it was read. */
export class SeenFiles {
  readonly #fingerprints = new Map<string, string>()
  readonly #folders = new Set<string>()

  /** Where a change of any of them shows; absolute. */
  get folders(): ReadonlySet<string> {
    return this.#folders
  }

  /** Notes a file (absolute path). Call it before reading: what changes in between is then noticed. */
  see(file: string): void {
    this.#folders.add(dirname(file))
    if (!this.#fingerprints.has(file)) this.#fingerprints.set(file, fingerprint(file))
  }

  /** Notes a folder for the names in it, because a pattern chooses among them. */
  seeNames(folder: string): void {
    this.#folders.add(folder)
    if (!this.#fingerprints.has(folder)) this.#fingerprints.set(folder, fingerprint(folder))
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
