/** State of plugins that outlives a reload: kept while some live configuration asks for its key. */
export class KeptState {
  readonly #values = new Map<string, { readonly value: unknown; users: number }>()

  /** A view for one configuration; what it asked for is let go when it is released. */
  open(): { keep<T>(key: string, make: () => T): T; release(): void } {
    const asked = new Set<string>()
    return {
      keep: <T>(key: string, make: () => T): T => {
        const kept = this.#values.get(key) ?? { value: make(), users: 0 }
        this.#values.set(key, kept)
        if (!asked.has(key)) kept.users++
        asked.add(key)
        return kept.value as T
      },
      release: () => {
        for (const key of asked) {
          const kept = this.#values.get(key)
          if (kept !== undefined && --kept.users === 0) this.#values.delete(key)
        }
        asked.clear()
      },
    }
  }
}
