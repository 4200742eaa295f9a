import { topics } from './001-topics.ts'
import { configuration } from './002-configuration.ts'
import { audit } from './003-audit.ts'
import { identity } from './004-identity.ts'
import { instances } from './005-instances.ts'
import { canaries } from './006-canaries.ts'
import { requestLog } from './007-request-log.ts'
import type { Migration } from './migration.ts'

/** In the order in which they are applied. */
export const migrations: readonly Migration[] = [
  topics,
  configuration,
  audit,
  identity,
  instances,
  canaries,
  requestLog,
]
