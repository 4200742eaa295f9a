import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { readKeySet, type SigningKey, writeKeySet } from './signing-key.ts'

/** Where the keys of the issuer are kept. */
export interface KeyStorage {
  /** Undefined when there are none yet. */
  read(): Promise<readonly SigningKey[] | undefined>
  /** Keeps the first keys, unless somebody else has done so already. */
  create(keys: readonly SigningKey[]): Promise<void>
  replace(keys: readonly SigningKey[]): Promise<void>
}

/** Keys that end with the process. */
export class KeysInMemory implements KeyStorage {
  #keys: readonly SigningKey[] | undefined

  async read(): Promise<readonly SigningKey[] | undefined> {
    return this.#keys
  }

  async create(keys: readonly SigningKey[]): Promise<void> {
    this.#keys ??= keys
  }

  async replace(keys: readonly SigningKey[]): Promise<void> {
    this.#keys = keys
  }
}

/** Keys in a file that only its owner can read. Gateways may share it: it is always whole, and the first who makes it wins. */
export class KeysInFile implements KeyStorage {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  async read(): Promise<readonly SigningKey[] | undefined> {
    let text: string
    try {
      text = await readFile(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    return await readKeySet(text)
  }

  async create(keys: readonly SigningKey[]): Promise<void> {
    await this.#writeBeside(keys, async (beside) => {
      try {
        await link(beside, this.#file)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    })
  }

  async replace(keys: readonly SigningKey[]): Promise<void> {
    await this.#writeBeside(keys, (beside) => rename(beside, this.#file))
  }

  async #writeBeside(keys: readonly SigningKey[], move: (beside: string) => Promise<void>): Promise<void> {
    const beside = `${this.#file}.${randomUUID()}`
    try {
      await writeFile(beside, writeKeySet(keys), { mode: 0o600, flag: 'wx' })
      await move(beside)
    } finally {
      await rm(beside, { force: true })
    }
  }
}
