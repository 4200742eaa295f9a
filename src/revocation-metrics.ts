import { Gauge, type Registry } from 'prom-client'
import type { IdentityState } from './identity-state.ts'

/** How many revocations this node knows, and how old its knowledge is. */
export function registerRevocationMetrics(registry: Registry, identity: IdentityState): void {
  const gauge = (name: string, help: string, read: () => number | undefined): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const value = read()
        if (value === undefined) this.reset()
        else this.set(value)
      },
    })
  }
  gauge(
    'gateway_revocations',
    'Revocations that this gateway holds in memory.',
    () => identity.revocations.size,
  )
  gauge(
    'gateway_revocation_sync_age_seconds',
    'Seconds since this gateway last knew all revocations that others have written; none where they are not kept.',
    () => identity.sharing && (Date.now() - identity.sharing.inStepAt) / 1_000,
  )
  gauge(
    'gateway_revocations_unwritten',
    'Revocations made here that are not kept or shared yet; none where they never are.',
    () => identity.sharing?.unwritten,
  )
}
