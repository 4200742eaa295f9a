/**
 * Which names of GraphQL operations are labels of metrics. Clients choose the names, and a series lasts as long as the process: a name must be configured, or
 * have been answered {@link proof} times among the last names that came up, and there is room for {@link maxNames} of these.
 */
export class OperationNames {
  readonly #labels = new Set<string>()
  /** How often names were answered that are no labels yet; the one that was used longest ago is forgotten first. */
  readonly #candidates = new Map<string, number>()
  #earned = 0

  /** Labels from now on. */
  known(names: readonly string[]): void {
    for (const name of names) this.#labels.add(name)
  }

  /** The label of an operation that was run; `''`: it has no name. */
  label(name: string, failed: boolean): string {
    if (name === '') return '__anonymous__'
    if (this.#labels.has(name)) return name
    if (!failed && this.#earned < maxNames) this.#count(name)
    return this.#labels.has(name) ? name : '__other__'
  }

  #count(name: string): void {
    const count = (this.#candidates.get(name) ?? 0) + 1
    this.#candidates.delete(name)
    if (count >= proof) {
      this.#earned++
      this.#labels.add(name)
      return
    }
    this.#candidates.set(name, count)
    if (this.#candidates.size <= maxCandidates) return
    const oldest = this.#candidates.keys().next()
    if (oldest.done !== true) this.#candidates.delete(oldest.value)
  }
}

const proof = 10
const maxNames = 200
const maxCandidates = 1_000
