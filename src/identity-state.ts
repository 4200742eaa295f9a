import type { Redis } from 'ioredis'
import type { Logger } from './core/log.ts'
import { ManagedKeys } from './plugins/identity/managed-keys.ts'
import { RedisKeyStore } from './plugins/identity/redis-key-store.ts'
import { Revocations } from './plugins/identity/revocations.ts'

export interface IdentityStateOptions {
  /** What gateways share; absent: each knows only of itself. */
  readonly redis?: Redis | undefined
  readonly log: Logger
  now(): number
}

/** What a gateway knows of credentials besides its configuration; made once, so that no reload loses it. */
export class IdentityState {
  readonly revocations = new Revocations()
  readonly keys: ManagedKeys

  constructor({ redis, log, now }: IdentityStateOptions) {
    this.keys = new ManagedKeys({ store: redis && new RedisKeyStore(redis), log, now })
  }

  /** Resolves when it knows what is shared, or cannot for now. */
  async start(): Promise<void> {
    await this.keys.start()
  }

  async close(): Promise<void> {
    await this.keys.close()
  }
}
