import type { Generated } from 'kysely'

/** All tables. Times are Unix times in milliseconds, JSON is text, `changed` is the counter of a topic when the row was written. */
export interface Tables {
  topics: TopicsTable
  config_versions: ConfigVersionsTable
  nodes: NodesTable
  audit_log: AuditLogTable
  api_keys: ApiKeysTable
  key_uses: KeyUsesTable
  revocations: RevocationsTable
  instances: InstancesTable
  canary_states: CanaryStatesTable
  request_log: RequestLogTable
}

/** How often each part has been changed. */
export interface TopicsTable {
  name: string
  counter: number
}

export interface ConfigVersionsTable {
  version: number
  author: string
  created_at: number
  message: string
  origin: 'file' | 'api' | 'rollback'
  /** Of the file that it was applied from. */
  file_hash: string | null
  /** YAML, references to the environment and to files unresolved. */
  document: string
  /** JSON. */
  changes: string
}

export interface NodesTable {
  id: string
  name: string
  started_at: number
  seen_at: number
  /** What it runs. */
  version: number
  /** What it should run. */
  wanted: number
  problem: string | null
}

export interface AuditLogTable {
  id: Generated<number>
  at: number
  actor: string
  address: string
  action: string
  method: string
  path: string
  outcome: string
  status: number
  version: number | null
  /** Why, in the words of who did it. */
  message: string | null
  /** Why it was refused. */
  reason: string | null
  /** JSON, secrets masked. */
  changes: string
  request_id: string
}

export interface ApiKeysTable {
  id: string
  hash: string
  consumer: string
  /** JSON. */
  record: string
  changed: number
}

export interface KeyUsesTable {
  id: string
  last_at: number
}

export interface RevocationsTable {
  /** JSON. */
  name: string
  /** The higher one holds. */
  version: number
  /** Null: never. */
  expires_at: number | null
  /** JSON. */
  entry: string
  changed: number
}

export interface InstancesTable {
  service: string
  url: string
  weight: number
  priority: number
  ttl_ms: number
  expires_at: number
}

export interface CanaryStatesTable {
  place: string
  /** Of the configuration of the canary: with another one it begins anew. */
  fingerprint: string
  step: number
  phase: string
  since: number
  reason: string | null
}

/** Settled exchanges; each has one key, so that what is written twice is there once. */
export interface RequestLogTable {
  /** When it settled. */
  at: number
  span_id: string
  trace_id: string
  request_id: string
  /** The gateway that served it. */
  node: string
  protocol: string
  route: string
  method: string
  path: string
  status: number
  duration_ms: number
  consumer: string | null
  /** Why it was refused or failed. */
  reason: string | null
  /** Names of those that were called, each once, between commas: `,users,orders,`. */
  upstreams: string
  /** JSON of what is in no column. */
  detail: string
}
