import { openSync, writeSync } from 'node:fs'

/** Keeps what has arrived at a backend, so that it can be read after the process was killed. */
export class Journal {
  readonly #file: number

  /** Adds to the file at `path`. */
  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  /** A line `id milliseconds`, which the system has when this returns. */
  note(id: string): void {
    writeSync(this.#file, `${id} ${Date.now()}\n`)
  }
}
