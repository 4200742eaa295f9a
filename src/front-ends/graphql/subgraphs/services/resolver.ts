import type { BackendRefusal } from '../../../../core/backend-refusal.ts'
import type { CallLimits } from '../../../../core/call-limits.ts'
import type { Exchange } from '../../../../core/exchange.ts'
import type { MessageShape } from '../../../../core/message-shape.ts'
import type { Place } from '../../../../core/text-template.ts'

/** What fills one field, or loads one entity, as it is configured. */
export interface ResolverOptions {
  /** `Query.book`; of an entity `Book`. */
  readonly name: string
  /** All that is written out with values in its texts: those of the request, or the value itself. */
  readonly written: unknown
  /** Undefined: nothing is called, `written` is the value. */
  readonly call: ServiceCallOptions | undefined
}

/** A call and what its answer means. */
export interface ServiceCallOptions {
  /** `rest` or `grpc`, for messages. */
  readonly kind: string
  /** Compiles the call. `idempotent`: whether doing it twice is the same as once; undefined: as the backend's API says. Throws a Mistake. */
  prepare(place: Place, idempotent: boolean | undefined): BackendCall
  /** What is sent and answered, where that is known; undefined: any JSON. */
  readonly shapes: { readonly input: MessageShape; readonly output: MessageShape } | undefined
  /** Keys to the value in the answer; empty: all of it. */
  readonly at: readonly string[]
  /** Member of an item in the answer to many objects -> member of the object that it belongs to; undefined: they stand in order. */
  readonly match: ReadonlyMap<string, string> | undefined
  /** Objects of one call at the most; undefined: 100. */
  readonly batchSize: number | undefined
  /** Whether what is not there is null and no error. */
  readonly nullIfNotFound: boolean
}

/** Makes a call; values in its texts are read before it returns its promise. Rejects with a GatewayError. */
export type BackendCall = (x: Exchange, limits: CallLimits) => Promise<BackendAnswer>

/** What a backend answered: JSON, or that it will not. */
export type BackendAnswer = { readonly value: unknown } | BackendRefusal
