import { type FSWatcher, watch } from 'node:fs'
import type { SeenFiles } from './seen-files.ts'

const quietMs = 100
/** Something that writes into the folder all the time must not put a change off for ever. */
const patienceMs = 1_000

/**
 * Watches the content of files, through their folders, so that a file that is replaced (editors, Kubernetes' config maps) is seen
 * too. Calls `onChange` once for each set of files, when some content differs and things have been quiet for 100 ms.
 */
export class FileWatcher {
  readonly #onChange: () => void
  readonly #watchers = new Map<string, FSWatcher>()
  #files: SeenFiles | undefined
  #timer: NodeJS.Timeout | undefined
  #stirredAt = 0

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** Replaces the set of watched files; a file that is not there yet is watched for, and one that changed since it was read is told. */
  watch(files: SeenFiles): void {
    this.#files = files
    for (const [folder, watcher] of this.#watchers) {
      if (files.folders.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of files.folders) this.#watchFolder(folder)
    this.#stir()
  }

  close(): void {
    this.#files = undefined
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #watchFolder(folder: string): void {
    if (this.#watchers.has(folder)) return
    try {
      const watcher = watch(folder, () => this.#stir())
      watcher.on('error', () => this.#watchers.delete(folder))
      watcher.unref()
      this.#watchers.set(folder, watcher)
    } catch {
      // A folder that does not exist cannot be watched; SIGHUP still reloads.
    }
  }

  #stir(): void {
    const now = performance.now()
    if (this.#timer === undefined) this.#stirredAt = now
    clearTimeout(this.#timer)
    const delayMs = Math.max(0, Math.min(quietMs, this.#stirredAt + patienceMs - now))
    this.#timer = setTimeout(() => this.#look(), delayMs)
    this.#timer.unref()
  }

  #look(): void {
    this.#timer = undefined
    if (this.#files?.changed() !== true) return
    this.#files = undefined
    this.#onChange()
  }
}
