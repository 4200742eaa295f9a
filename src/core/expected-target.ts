/** Where the call of a request would go right now, for people. */
export interface ExpectedTarget {
  readonly upstream: string
  /** What chooses: `roundRobin` or another policy, or `cookie`. */
  readonly by: string
  /** Those that may be chosen, by URL; empty: none may. */
  readonly among: readonly string[]
  /** The one that is next; undefined: it depends on chance, or on who is asked by others at that moment. */
  readonly target: string | undefined
}
