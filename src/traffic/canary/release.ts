import type { Logger } from '../../core/log.ts'
import type { Outcome } from '../outcome.ts'
import { type AnalysisOptions, judge } from './analysis.ts'
import { Figures } from './figures.ts'
import type { ReleaseState } from './release-state.ts'

/** The two sides of a release: what served before, and the new version. */
export type Track = 'stable' | 'canary'

/** How a new version is let in. */
export interface ReleaseOptions {
  /** One at least, weights rising. */
  readonly steps: readonly ReleaseStep[]
  readonly analysis: AnalysisOptions
  /** What is done when a limit is broken. */
  readonly onFailure: 'rollback' | 'pause'
  readonly log: Logger
  /** Unix time in milliseconds. */
  now(): number
}

export interface ReleaseStep {
  /** Percent of the users, 0 to 100. */
  readonly weight: number
  /** The least time before the next step; undefined: until it is promoted by hand. */
  readonly holdMs: number | undefined
}

/** What a release does now; the last two leave everybody with the stable side. */
export type Phase = (typeof phases)[number]
export const phases = ['progressing', 'paused', 'rolledBack', 'aborted'] as const

/** A release as people see it. */
export interface ReleaseStatus {
  /** Where the canary stands in the configuration: `users`, `graphql/accounts`, `grpc/library.v1.LibraryService`. */
  readonly place: string
  readonly phase: Phase
  /** From 1. */
  readonly step: number
  readonly steps: number
  /** Percent of the users on the canary's side now. */
  readonly weight: number
  /** When the step or phase began, Unix time in milliseconds. */
  readonly since: number
  /** The limit that was broken, when it was the release itself that stopped. */
  readonly reason: string | undefined
  readonly stable: TrackStatus
  readonly canary: TrackStatus
}

/** Of the step: `requests` and `failures` since it began, the rest of the latest calls. */
export interface TrackStatus {
  readonly requests: number
  readonly failures: number
  readonly errorRate: number
  readonly p95Ms: number | undefined
}

/**
 * The state of one release: its step, how both sides did in it, and what follows from that. It moves only when calls of the canary end,
 * never by time alone: without them there is nothing to go by.
 */
export class Release {
  readonly place: string
  /** Calls since the configuration of the canary came, for metrics. */
  readonly counts: Readonly<Record<Track, Record<Outcome, number>>> = {
    stable: { ok: 0, failed: 0, neutral: 0 },
    canary: { ok: 0, failed: 0, neutral: 0 },
  }
  readonly #options: ReleaseOptions
  /** Figures are judged at the first `minRequests` calls, and every so many after that. */
  readonly #stride: number
  #phase: Phase = 'progressing'
  #step = 0
  #since: number
  #reason: string | undefined
  #stable: Figures
  #canary: Figures
  /** The stable side in the last step in which it had enough calls: with the weight at 100 it has none. */
  #baseline: Figures | undefined
  #onMove: () => void = () => {}

  constructor(place: string, options: ReleaseOptions) {
    this.place = place
    this.#options = options
    this.#stride = Math.ceil(options.analysis.minRequests / 10)
    this.#since = options.now()
    this.#stable = this.#newFigures()
    this.#canary = this.#newFigures()
  }

  /** Whether anybody may be sent to the canary. */
  get open(): boolean {
    return this.#phase === 'progressing' || this.#phase === 'paused'
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Percent of the users on the canary's side, 0 to 100. */
  get weight(): number {
    return this.open ? this.#current.weight : 0
  }

  /** A call ended: `ms` to the head of its answer. What says nothing of the upstream is neutral. */
  record(track: Track, outcome: Outcome, ms: number): void {
    this.counts[track][outcome]++
    if (outcome === 'neutral' || !this.open) return
    const figures = track === 'canary' ? this.#canary : this.#stable
    if (outcome === 'ok') figures.succeeded(ms)
    else figures.failed()
    if (track === 'canary') this.#judge()
  }

  /** Goes on to the next step, whatever the figures are; false when there is none, or nothing is released. */
  promote(): boolean {
    return this.open && this.#advance('by hand')
  }

  /** Stays at the step; limits still count. False when it does not progress. */
  pause(): boolean {
    if (this.#phase !== 'progressing') return false
    this.#enter('paused')
    this.#log('warn', 'canary is paused', { reason: 'by hand' })
    return true
  }

  /** Begins the step anew after a pause, the first one after a rollback or an abort; false when it progresses. */
  resume(): boolean {
    if (this.#phase === 'progressing') return false
    if (!this.open) this.#step = 0
    this.#enter('progressing')
    this.#beginStep()
    this.#log('info', 'canary is resumed', { reason: 'by hand' })
    return true
  }

  /** Sends everybody to the stable side; false when that is so already. */
  abort(): boolean {
    if (!this.open) return false
    this.#enter('aborted')
    this.#log('warn', 'canary is aborted', { reason: 'by hand' })
    return true
  }

  get state(): ReleaseState {
    return { step: this.#step, phase: this.#phase, since: this.#since, reason: this.#reason }
  }

  /** Goes where it stood before a restart, or where another node has moved it. The figures of a step are those of this node. */
  restore({ step, phase, since, reason }: ReleaseState): void {
    const isOtherStep = step !== this.#step
    this.#step = Math.min(step, this.#options.steps.length - 1)
    this.#phase = phase
    this.#since = since
    this.#reason = reason
    if (isOtherStep) this.#beginStep()
  }

  /** Has `moved` called when it has moved by itself or by hand, not when it is restored. There is one listener. */
  onMove(moved: () => void): void {
    this.#onMove = moved
  }

  status(): ReleaseStatus {
    return {
      place: this.place,
      phase: this.#phase,
      step: this.#step + 1,
      steps: this.#options.steps.length,
      weight: this.weight,
      since: this.#since,
      reason: this.#reason,
      stable: trackStatus(this.#stable),
      canary: trackStatus(this.#canary),
    }
  }

  get #current(): ReleaseStep {
    return this.#options.steps[this.#step] as ReleaseStep
  }

  #judge(): void {
    const { analysis, onFailure, now } = this.#options
    const beyond = this.#canary.requests - analysis.minRequests
    if (beyond < 0 || beyond % this.#stride !== 0) return
    const verdict = judge(this.#canary, this.#enough(this.#stable) ?? this.#baseline, analysis)
    if (verdict.says === 'broken') {
      if (onFailure === 'rollback') this.#stop('rolledBack', verdict.why)
      else if (this.#phase === 'progressing') this.#stop('paused', verdict.why)
      return
    }
    const { holdMs } = this.#current
    if (verdict.says === 'unclear' || this.#phase !== 'progressing' || holdMs === undefined) return
    if (now() - this.#since >= holdMs) this.#advance('held, and within the limits')
  }

  #stop(phase: 'rolledBack' | 'paused', reason: string): void {
    this.#enter(phase, reason)
    this.#log('error', phase === 'paused' ? 'canary is paused' : 'canary is rolled back', { reason })
  }

  #advance(reason: string): boolean {
    if (this.#step + 1 >= this.#options.steps.length) return false
    // With the figures that it goes by.
    this.#log('info', 'canary is promoted', { reason, to: this.#options.steps[this.#step + 1]?.weight })
    this.#step++
    this.#enter('progressing')
    this.#beginStep()
    return true
  }

  #enter(phase: Phase, reason?: string): void {
    this.#phase = phase
    this.#since = this.#options.now()
    this.#reason = reason
    this.#onMove()
  }

  #beginStep(): void {
    this.#baseline = this.#enough(this.#stable) ?? this.#baseline
    this.#stable = this.#newFigures()
    this.#canary = this.#newFigures()
  }

  #enough(figures: Figures): Figures | undefined {
    return figures.requests >= this.#options.analysis.minRequests ? figures : undefined
  }

  #newFigures(): Figures {
    return new Figures(5 * this.#options.analysis.minRequests)
  }

  #log(level: 'info' | 'warn' | 'error', message: string, news: { reason: string; to?: number | undefined }) {
    const { stable, canary, step, steps } = this.status()
    const { weight } = this.#current
    const fields = { 'gateway.canary.place': this.place, ...news, step, steps, weight, stable, canary }
    this.#options.log[level](fields, message)
  }
}

function trackStatus({ requests, failures, errorRate, p95Ms }: Figures): TrackStatus {
  return { requests, failures, errorRate, p95Ms }
}
