import { isTakenOut } from './chaos-gateway.ts'
import type { Sent } from './load.ts'
import { patienceMs } from './request-kinds.ts'
import type { Aim, ScenarioResult } from './scenario.ts'

/** Requests that may be sent twice are answered, whatever happens. */
export const idempotentAllAnswered: Aim = {
  says: 'no idempotent request fails',
  timed: false,
  judge: ({ sent }) => none(sent.filter(({ kind, failure }) => kind.idempotent && failure !== undefined)),
}

/** Nobody notices. */
export const allAnswered: Aim = {
  says: 'no request fails',
  timed: false,
  judge: ({ sent }) => none(sent.filter(({ failure }) => failure !== undefined)),
}

/** The same of what goes to backends over HTTP/1.1: calls of gRPC share their connections. */
export const allButRpcAnswered: Aim = {
  says: 'no request to a REST backend or a subgraph fails',
  timed: false,
  judge: ({ sent }) =>
    none(sent.filter(({ kind, failure }) => kind.upstream !== 'grpc' && failure !== undefined)),
}

/** What the target itself answered, or half answered, is the client's until the target is left out. */
export const failsOnlyUntilEjected: Aim = {
  says: 'no request fails once the target is ejected',
  timed: false,
  judge({ sent, changes, phases }) {
    const ejected = new Map<string, number>()
    for (const { at, message, upstream } of changes) {
      if (at >= phases.during && message === 'target is ejected' && !ejected.has(upstream))
        ejected.set(upstream, at)
    }
    const failed = sent.filter(({ failure }) => failure !== undefined)
    // What was due before may be under way.
    const later = failed.filter(
      ({ dueAt, kind }) => dueAt > (ejected.get(kind.upstream) ?? Number.NEGATIVE_INFINITY) + clocksDifferMs,
    )
    const { reached } = none(later)
    return { reached: `${reached}, ${failed.length - later.length} before`, met: later.length === 0 }
  },
}

const clocksDifferMs = 50

/** Held in every scenario. */
export const nothingTwice: Aim = {
  says: 'nothing that is not idempotent is sent twice',
  timed: false,
  judge: ({ sent, arrivals }) =>
    none(sent.filter(({ id, kind }) => !kind.idempotent && (arrivals.get(id)?.length ?? 0) > 1)),
}

/** Held in every scenario: an answer that no backend was asked for would be none. */
export const answersAreTrue: Aim = {
  says: 'no answer without a backend',
  timed: false,
  judge: ({ sent, arrivals }) =>
    none(sent.filter(({ id, failure }) => failure === undefined && !arrivals.has(id))),
}

/** Held in every scenario. */
export const nothingHangs: Aim = {
  says: 'no request is left without an end',
  timed: false,
  judge: ({ sent }) => none(sent.filter(({ tookMs = Number.POSITIVE_INFINITY }) => tookMs >= patienceMs)),
}

export const noTargetBlamed: Aim = {
  says: 'no target is taken out',
  timed: false,
  judge({ changes }) {
    const blamed = changes.filter(({ message }) => isTakenOut(message))
    return { reached: `${blamed.length} times`, met: blamed.length === 0 }
  },
}

/** Each of the three upstreams is asked no more while it only fails, and asked again afterwards. */
export const circuitsOpen: Aim = {
  says: 'the circuit of each upstream opens and closes',
  timed: false,
  judge({ changes }) {
    const upstreamsThatSay = (wanted: string): number =>
      new Set(changes.filter(({ message }) => message === wanted).map(({ upstream }) => upstream)).size
    const [opened, closed] = [upstreamsThatSay('circuit is open'), upstreamsThatSay('circuit is closed')]
    return { reached: `${opened} opened, ${closed} closed`, met: opened === 3 && closed === 3 }
  },
}

/** Every backend that came back is in use again. */
export const recovers: Aim = {
  says: 'backends that are well again are used again',
  timed: false,
  judge({ recoveries }) {
    const lost = recoveries.filter(({ tookMs }) => tookMs === undefined)
    return { reached: `${recoveries.length - lost.length} of ${recoveries.length}`, met: lost.length === 0 }
  },
}

export const recoversSoon: Aim = {
  says: 'within two probe intervals',
  timed: true,
  judge({ recoveries, knobs }) {
    const slowestMs = Math.max(...recoveries.map(({ tookMs }) => tookMs ?? Number.POSITIVE_INFINITY))
    return { reached: `${(slowestMs / 1_000).toFixed(2)} s`, met: slowestMs <= 2 * knobs.probeIntervalMs }
  },
}

const fastMs = 1_500

/** When there is nobody to ask, clients are not left to wait. */
export const failsFast: Aim = {
  says: `what fails does so within ${fastMs} ms`,
  timed: true,
  judge: ({ sent }) =>
    none(
      sent.filter(
        ({ failure, tookMs = Number.POSITIVE_INFINITY }) => failure !== undefined && tookMs > fastMs,
      ),
    ),
}

/** Clients come back to answers, not to failures, once all that had failed is well again. */
export const endsWell: Aim = {
  says: 'no request fails after that',
  timed: false,
  judge: ({ sent, phases }) =>
    none(sent.filter(({ failure, dueAt }) => failure !== undefined && dueAt >= phases.after)),
}

/** `victim`: the name of the backend that stood still. */
export function onlyThoseOnItAreLate(victim: string): Aim {
  return {
    says: 'only requests that were on it take as long as a try may',
    timed: true,
    judge: (result) =>
      none(lateOf(result).filter(({ id }) => result.arrivals.get(id)?.includes(victim) !== true)),
  }
}

function lateOf({ sent, phases, knobs }: ScenarioResult): readonly Sent[] {
  return sent.filter(
    ({ dueAt, tookMs, kind }) =>
      kind.idempotent && dueAt >= phases.before && (tookMs ?? Number.POSITIVE_INFINITY) > knobs.perTryMs,
  )
}

function none(requests: readonly Sent[]): { readonly reached: string; readonly met: boolean } {
  const reasons = Object.entries(Object.groupBy(requests, ({ kind, failure }) => failure ?? kind.name))
  const list = reasons.map(([reason, group]) => `${group?.length} ${reason}`).join(', ')
  return { reached: `${requests.length}${list === '' ? '' : ` (${list})`}`, met: requests.length === 0 }
}
