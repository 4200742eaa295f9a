/** What decides whether a target of an upstream may be chosen. */
export interface Selectable {
  /** 0: it drains, takes nothing new. */
  readonly weight: number
  /** Targets of the lowest number serve; those of the next stand by. */
  readonly priority: number
  /** Whether its health lets it be chosen. `now`: `performance.now()`. */
  available(now: number): boolean
  /** Whether its circuit lets a call through, which counts even where health is ignored. */
  admits(now: number): boolean
}

export interface UsableOptions<T> {
  /** `performance.now()`. */
  readonly now: number
  /**
   * A priority group of which less than this share is available does not serve. When that is so for all groups, the health of
   * the first that has an available target (else of the first) is ignored: few targets that take the traffic of all would fall
   * next, and that many failing probes may as well be the fault of the probes. 0: health is never ignored, the default, because
   * a target that is known to be down is then never asked, and whoever asks for more must have sized the group for it.
   */
  readonly panicThresholdPercent: number
  /** What the last call returned; returned again when nothing changed, so that balancers keep what they worked out. */
  readonly previous: readonly T[]
}

/**
 * The targets that may be chosen, in their order: those with a weight, of the first priority group in which enough are available.
 * Empty when there are none. A group that panics only does so when no other group can serve (as in Envoy).
 */
export function usable<T extends Selectable>(targets: readonly T[], options: UsableOptions<T>): readonly T[] {
  const { now, panicThresholdPercent, previous } = options
  const serving = firstWithEnough(targets, panicThresholdPercent, now)
  const panics = serving === none && panicThresholdPercent > 0
  const priority = panics ? panicking(targets, now) : serving
  const serves = panics ? isAdmitted : isAvailable
  let count = 0
  for (const target of targets) {
    if (!isOf(target, priority) || !serves(target, now)) continue
    if (previous[count] !== target) return targets.filter((one) => isOf(one, priority) && serves(one, now))
    count++
  }
  return count === previous.length ? previous : previous.slice(0, count)
}

const none = Number.POSITIVE_INFINITY

/** Whether a target takes calls in the group of this priority. */
function isOf({ weight, priority }: Selectable, group: number): boolean {
  return weight > 0 && priority === group
}

function isAvailable(target: Selectable, now: number): boolean {
  return target.available(now)
}

function isAdmitted(target: Selectable, now: number): boolean {
  return target.admits(now)
}

function firstWithEnough(targets: readonly Selectable[], percent: number, now: number): number {
  for (let group = next(targets, -none); group !== none; group = next(targets, group)) {
    let all = 0
    let available = 0
    for (const target of targets) {
      if (!isOf(target, group)) continue
      all++
      if (target.available(now)) available++
    }
    if (available > 0 && available * 100 >= percent * all) return group
  }
  return none
}

/** The first group that has an available target, else the first. */
function panicking(targets: readonly Selectable[], now: number): number {
  const group = firstWithEnough(targets, 0, now)
  return group === none ? next(targets, -none) : group
}

/** The lowest priority above `above` that a target with a weight has. */
function next(targets: readonly Selectable[], above: number): number {
  let lowest = none
  for (const { weight, priority } of targets) {
    if (weight > 0 && priority > above && priority < lowest) lowest = priority
  }
  return lowest
}
