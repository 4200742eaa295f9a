import type { Policy } from '../../core/route.ts'
import type { Destination } from '../../traffic/destination.ts'
import type { MetadataOptions } from './metadata-rules.ts'
import type { JsonStyle } from './render-reply.ts'
import type { StaticReplies } from './static-reply.ts'

/** One service and who serves it. */
export interface ServiceOptions {
  /** Full name: `library.v1.LibraryService`. */
  readonly name: string
  readonly destination: Destination
  readonly policy: Policy
  /** What is different for some methods, by name. */
  readonly methods?: ReadonlyMap<string, MethodOptions>
  /** For one call, in milliseconds. Default: the upstream's for unary calls, none for streams. */
  readonly timeoutMs?: number
  /** What unary calls are answered with where nobody answers. Default: errors. */
  readonly replies?: StaticReplies
  readonly json: JsonOptions
  /** The most that one encoded message may have, either way. Default: the front-end's. */
  readonly messageBytes?: number
  /** Whether methods without an annotation are served at `/package.Service/Method`. */
  readonly unannotated: boolean
  readonly metadata: MetadataOptions
  /** Whether it is left out of the description. Default: no. */
  readonly hidden?: boolean
}

/** What is different for one method of a service, whichever way it is called. */
export interface MethodOptions {
  readonly policy: Policy
  readonly timeoutMs?: number | undefined
}

/** How the JSON of a service is written and read. */
export interface JsonOptions extends JsonStyle {
  /** Whether unknown fields and parameters are passed over instead of refused. */
  readonly ignoreUnknown: boolean
}
