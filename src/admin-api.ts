import type { IncomingMessage } from 'node:http'
import type { Router } from 'express'
import { AdminAccess } from './admin/admin-access.ts'
import { type AdminRoute, createAdminRouter } from './admin/admin-router.ts'
import type { Config } from './config/schema.ts'
import { plainAddress, type TrustedProxies } from './core/client-address.ts'
import type { Logger } from './core/log.ts'
import type { IdentityState } from './identity-state.ts'

export interface AdminApiOptions {
  readonly identity: IdentityState
  readonly proxies: TrustedProxies
  readonly log: Logger
  /** The running configuration. */
  config(): Config
  now(): number
}

/** The admin API of a gateway: everything that it offers. */
export function adminApi({ proxies, log, config, now }: AdminApiOptions): Router {
  const routes: readonly AdminRoute[] = []
  const access = new AdminAccess(() => config().admin.tokens, now)
  const address = ({ socket, headers }: IncomingMessage): string =>
    proxies.clientAddress(plainAddress(socket.remoteAddress ?? ''), headers['x-forwarded-for'])
  return createAdminRouter({ access, routes, address, log })
}
