import { createHash } from 'node:crypto'
import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Watches the content of files, through their folders, so that a file that is replaced (editors, Kubernetes' config maps) is seen
 * too. Calls `onChange` once things have been quiet for 100 ms and some content differs.
 */
export class FileWatcher {
  readonly #onChange: () => void
  readonly #watchers = new Map<string, FSWatcher>()
  #files: readonly string[] = []
  #digest = ''
  #timer: NodeJS.Timeout | undefined

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** Replaces the set of watched files (absolute paths); a file that is not there yet is watched for. */
  watch(files: readonly string[]): void {
    this.#files = files
    this.#digest = digestOf(files)
    const folders = new Set(files.map((file) => dirname(file)))
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue
      try {
        const watcher = watch(folder, () => this.#stir())
        watcher.on('error', () => this.#watchers.delete(folder))
        watcher.unref()
        this.#watchers.set(folder, watcher)
      } catch {
        // A folder that does not exist cannot be watched; SIGHUP still reloads.
      }
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #stir(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const digest = digestOf(this.#files)
      if (digest === this.#digest) return
      this.#digest = digest
      this.#onChange()
    }, 100)
  }
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) {
    hash.update(file)
    try {
      hash.update(readFileSync(file))
    } catch {
      hash.update('absent')
    }
  }
  return hash.digest('hex')
}
