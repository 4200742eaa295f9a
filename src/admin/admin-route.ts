import type { z } from 'zod'
import type { AdminScope } from '../config/admin-keys.ts'
import type { Change } from '../control/change.ts'

/** One thing that the admin API does: data in, data out. Its shapes check what comes in, and are what the OpenAPI document says. */
export interface AdminRoute<Query extends z.ZodObject = z.ZodObject, Body extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `admin.path`, as OpenAPI has it: `/keys`, `/keys/{id}`, `/keys/{id}:rotate`. A value is one segment, percent-decoded. */
  readonly path: string
  /** What the caller's token must have. */
  readonly scope: AdminScope
  /** A few words. */
  readonly summary: string
  /** CommonMark. */
  readonly description?: string
  /** Whether it changes anything; then it is in the audit log and takes `?dryRun=` and `?message=`. Default: all but GET. */
  readonly writes?: boolean
  /** Parameters of the query; others are refused. A number is a text there: `z.coerce`. Default: none. */
  readonly query?: Query
  /** Default: none is taken. Nothing sent counts as `{}`. */
  readonly body?: Body
  /** `config`: YAML or JSON up to 10 MiB, as text; `json`: checked by `body`, up to `maxBodyBytes`. Default `json`. */
  readonly takes?: 'json' | 'config'
  /** Of JSON. Default 1 MiB. */
  readonly maxBodyBytes?: number
  /** Of a success. Default: there is no body. */
  readonly answer?: z.ZodType
  /** Of a success. Default 200, or 204 without `answer`. */
  readonly status?: number
  /** Other statuses of a success. Default: none. */
  readonly also?: readonly number[]
  /** Whether it answers with server-sent events. Default: no. */
  readonly stream?: boolean
  /** Throw GatewayErrors to refuse. */
  serve(call: AdminCall<z.output<Query>, z.output<Body>>): AdminAnswer | Promise<AdminAnswer>
}

/** One call of the admin API by somebody who may make it. */
export interface AdminCall<Query = Readonly<Record<string, unknown>>, Body = unknown> {
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  /** What was sent where the route takes a configuration. */
  readonly text: string
  /** `If-Match`. */
  readonly ifMatch: string | undefined
  /** Only to be told what would happen. */
  readonly dryRun: boolean
  /** Why it is done, for versions and the audit log. */
  readonly message: string | undefined
  /** Whose token it is; `local` without one. */
  readonly by: string
  /** The client's. */
  readonly address: string
  /** Media types that the client takes, as sent; `*` unless it says so. */
  readonly accept: string
  /** Aborted when the client is gone, or the gateway ends. */
  readonly signal: AbortSignal
}

export interface AdminAnswer {
  /** Default: that of the route. */
  readonly status?: number
  /** An object becomes JSON; a text goes as it is, as `type`. */
  readonly body?: unknown
  /** Of a text. Default `application/yaml`. */
  readonly type?: string
  /** Of what was made, below `admin.path`. */
  readonly location?: string
  readonly etag?: string | undefined
  /** The cursor of the next page: becomes a `Link` header (RFC 8288). */
  readonly next?: string | null
  /** For the audit log, secrets masked. */
  readonly changes?: readonly Change[]
  /** Of the configuration, after it. */
  readonly version?: number
  /** A heartbeat, which the audit log would be full of. */
  readonly unnoted?: boolean
  /** Server-sent events instead of a body; it ends at the latest when `signal` of the call aborts. */
  readonly stream?: AsyncIterable<AdminEvent>
}

/** One server-sent event (HTML standard, section 9.2). */
export interface AdminEvent {
  readonly event?: string
  readonly id?: string
  /** Sent as JSON. */
  readonly data: unknown
}

/** A route with the types of its query and body; what a list of routes holds knows them no more. */
export function adminRoute<Query extends z.ZodObject, Body extends z.ZodType>(
  route: AdminRoute<Query, Body>,
): AdminRoute {
  return route as unknown as AdminRoute
}

/** Whether a call of it may change something. */
export function writes({ writes, method }: AdminRoute): boolean {
  return writes ?? method !== 'GET'
}
