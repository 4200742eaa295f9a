import type { ThreeBackends } from './chaos-backend.ts'
import type { Change, Knobs, Targets } from './chaos-gateway.ts'
import type { Sent } from './load.ts'
import type { Recovery, Stage } from './stage.ts'

/** Something that happens to backends, or to what the gateway finds them by. */
export interface Scenario {
  readonly name: string
  /** What happens, as a sentence without its full stop. */
  readonly about: string
  /** Keys of the upstreams that it is about, beside those that all scenarios have. */
  readonly keys?: object
  /** Starts what the gateway finds its targets by, and leaves its end to `resources`. Default: {@link listed}. */
  readonly provide?: (backends: ThreeBackends, resources: AsyncDisposableStack) => Promise<Provider>
  /** What is wanted of the gateway, beside that nothing is done twice that must not be. */
  readonly aims: readonly Aim[]
  /** Lets it happen, and puts it right again; the load goes on. All backends are well when it has ended. */
  run(stage: Stage, provider: Provider): Promise<void>
}

/** What the gateway finds its targets by. */
export interface Provider {
  readonly targets: Targets
  /** Ends it. */
  takeAway(): Promise<void>
  /** Starts it again. It has something to tell then that it had not before: backend c. */
  bringBack(): Promise<void>
}

/** The addresses stand in the configuration. */
export const listed: Provider = {
  targets: (_name, urls) => ({ targets: urls.map((url) => ({ url })) }),
  takeAway: async () => {},
  bringBack: async () => {},
}

/** Something that must hold of a result. */
export interface Aim {
  readonly says: string
  /** Whether clocks decide about it, which tests on a busy machine do not look at. */
  readonly timed: boolean
  /** What was counted, and whether that is enough. */
  judge(result: ScenarioResult): { readonly reached: string; readonly met: boolean }
}

export const phaseNames = ['before', 'during', 'after'] as const
export type PhaseName = (typeof phaseNames)[number]

/** All that is known of one run of a scenario. */
export interface ScenarioResult {
  readonly scenario: Scenario
  readonly sent: readonly Sent[]
  /** Where each phase begins, milliseconds since 1970; what was sent before the first is a warm-up. */
  readonly phases: Readonly<Record<PhaseName, number>>
  /** By id: the names of the backends that a request has reached, once for each time. */
  readonly arrivals: ReadonlyMap<string, readonly string[]>
  readonly changes: readonly Change[]
  readonly recoveries: readonly Recovery[]
  readonly knobs: Knobs
}
