import type { Phase } from './release.ts'

/** Where a release stands, to be kept and told. */
export interface ReleaseState {
  /** From 0. */
  readonly step: number
  readonly phase: Phase
  /** When the step or phase began, Unix time in milliseconds. */
  readonly since: number
  /** The limit that was broken. */
  readonly reason: string | undefined
}
