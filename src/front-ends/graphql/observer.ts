import type { Planned } from './planning/planning-figures.ts'

/** Told what operations take, for metrics; nothing of it throws. */
export interface GraphqlObserver {
  /** Asked once per subgraph. */
  subgraph(name: string): FetchObserver
  /** Of each operation that was not known. */
  planned(planned: Planned): void
}

/** Told of each fetch of one subgraph when it is over. `failed`: no usable answer; `error`: one with errors. */
export type FetchObserver = (outcome: 'ok' | 'error' | 'failed', fetch: ObservedFetch) => void

export interface ObservedFetch {
  /** `performance.now()` */
  readonly startedAt: number
  /** Of the answer; 0: none came. */
  readonly answerBytes: number
  /** Whether it has the answer of another one. */
  readonly shared: boolean
}
