import type { Target } from '../core/target.ts'

/** What a provider has learned of the targets of one upstream. */
export interface Finding {
  /** All of them, in place of those before; undefined: not known right now, so that those before stay. */
  readonly targets?: readonly Target[]
  /** What is not well, in words that stay the same as long as it does; undefined: all is well. */
  readonly trouble?: string
  /** Entries that are no targets, each with the reason. They are left out. */
  readonly skipped?: readonly string[]
}

/** Finds the targets of one upstream, and goes on to do so. */
export interface Provider {
  /** Tells what it finds, and every change of that, until it is closed. Called once; never throws. */
  watch(report: (finding: Finding) => void): void
  close(): void
}
