import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Express } from 'express'
import type { Logger } from './core/log.ts'
import type { LoadWatch } from './listener/load-watch.ts'
import type { SourceOptions } from './source.ts'

/** How a gateway is made. */
export interface GatewayOptions extends SourceOptions {
  /** Default: JSON lines on standard output, at the configured level. */
  readonly log?: Logger
  /** Mounts middleware of your own on the Express app, behind the routing table and in front of the 404. */
  readonly extend?: (app: Express) => void
  /** The clock of plugins, Unix time in milliseconds. Default: the system's. */
  readonly now?: () => number
  /** Whether changes of the file and of what it names are applied by themselves. Default true. */
  readonly watch?: boolean
  /** Who tells how busy the process is. Default: a clock and the heap of its own. */
  readonly watchLoad?: LoadWatch
  /** Whether it is only to be looked into: no Redis connection is made, no target is probed. Default false. */
  readonly offline?: boolean
}

/** Express or Connect middleware. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void
