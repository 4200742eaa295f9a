import {
  allAnswered,
  allButRpcAnswered,
  circuitsOpen,
  endsWell,
  failsFast,
  failsOnlyUntilEjected,
  idempotentAllAnswered,
  noTargetBlamed,
  onlyThoseOnItAreLate,
  recovers,
  recoversSoon,
} from './aims.ts'
import type { Behaviour } from './behaviour.ts'
import { providerScenarios } from './provider-scenarios.ts'
import type { Aim, Scenario } from './scenario.ts'

const slow: Behaviour = { kind: 'slow', delayMs: 2_000 }

/** Everything that happens to three backends under load, in the order in which it is run. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'kill',
    about: 'one backend is killed (SIGKILL), and started again later',
    aims: [idempotentAllAnswered, recovers, recoversSoon],
    async run(stage) {
      const [victim] = stage.backends
      await victim.kill()
      await stage.stay()
      await victim.start()
      await stage.inUse(victim)
    },
  },
  {
    name: 'kill-each',
    about: 'each backend in turn is killed (SIGKILL) and started again',
    aims: [idempotentAllAnswered, recovers, recoversSoon],
    async run(stage) {
      for (const backend of stage.backends) {
        await backend.kill()
        await stage.stay(1 / 3)
        await backend.start()
        await stage.inUse(backend)
      }
    },
  },
  {
    name: 'restart-each',
    about:
      'each backend in turn says that it is unhealthy, ends when it is left alone (SIGTERM), and is started again',
    aims: [allAnswered, recovers, recoversSoon],
    async run(stage) {
      for (const backend of stage.backends) {
        await backend.behave({ kind: 'leaving' })
        await stage.said('target is unhealthy', backend)
        await backend.stop()
        await backend.start()
        await stage.inUse(backend)
      }
    },
  },
  {
    name: 'kill-all',
    about: 'all backends are killed (SIGKILL), and started again later',
    aims: [failsFast, endsWell, recovers, recoversSoon],
    async run(stage) {
      await Promise.all(stage.backends.map((backend) => backend.kill()))
      await stage.stay()
      await Promise.all(stage.backends.map((backend) => backend.start()))
      await Promise.all(stage.backends.map((backend) => stage.inUse(backend)))
    },
  },
  {
    name: 'freeze',
    about: 'one backend stands still (SIGSTOP), and goes on later (SIGCONT)',
    aims: [idempotentAllAnswered, onlyThoseOnItAreLate('a'), recovers, recoversSoon],
    async run(stage) {
      const [victim] = stage.backends
      victim.freeze()
      await stage.stay()
      await stage.said('target is unhealthy')
      victim.thaw()
      await stage.inUse(victim)
    },
  },
  misbehaving('slow', 'one backend takes 2 s for each answer', slow, [idempotentAllAnswered]),
  {
    ...misbehaving('slow-hedged', 'the same, and `retry.hedge.after` is 100ms', slow, [
      idempotentAllAnswered,
    ]),
    keys: { retry: { hedge: { after: '100ms' }, budget: { percent: 50 } } },
  },
  misbehaving(
    'errors-500',
    'one backend answers 500 (INTERNAL), but says that it is healthy',
    { kind: 'failing', status: 500 },
    [failsOnlyUntilEjected],
  ),
  misbehaving(
    'errors-503',
    'one backend answers 503 (UNAVAILABLE), also when asked for its health',
    { kind: 'failing', status: 503 },
    [idempotentAllAnswered],
  ),
  {
    name: 'errors-all',
    about: 'all backends answer 500 (INTERNAL), and there is a `circuitBreaker` that opens for 1s',
    keys: { circuitBreaker: { openFor: '1s' } },
    aims: [circuitsOpen, failsFast, endsWell],
    async run(stage) {
      await Promise.all(stage.backends.map((backend) => backend.behave({ kind: 'failing', status: 500 })))
      await stage.stay()
      await stage.said('circuit is open')
      await Promise.all(stage.backends.map((backend) => backend.behave({ kind: 'well' })))
      await stage.said('circuit is closed')
    },
  },
  misbehaving(
    'resets',
    'one backend resets connections in the middle of requests and answers',
    { kind: 'resetting' },
    [failsOnlyUntilEjected],
  ),
  ...(['FIN', 'RST'] as const).map((by) =>
    misbehaving(
      `idle-${by.toLowerCase()}`,
      `one backend closes kept connections (${by}) just when they are used again`,
      { kind: 'closingIdle', by },
      [idempotentAllAnswered, noTargetBlamed],
    ),
  ),
  {
    ...misbehaving(
      'idle-rst-fresh',
      'the same by RST, with `connections.reuse: idempotent`',
      { kind: 'closingIdle', by: 'RST' },
      [idempotentAllAnswered, allButRpcAnswered, noTargetBlamed],
    ),
    keys: { connections: { reuse: 'idempotent' } },
  },
  ...providerScenarios,
]

function misbehaving(name: string, about: string, behaviour: Behaviour, aims: readonly Aim[]): Scenario {
  return {
    name,
    about,
    aims,
    async run(stage) {
      const [victim] = stage.backends
      await victim.behave(behaviour)
      await stage.stay()
      // Nothing but real calls can tell.
      if (aims.includes(failsOnlyUntilEjected)) await stage.said('target is ejected')
      await victim.behave({ kind: 'well' })
    },
  }
}
