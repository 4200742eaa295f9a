import type { Place } from '../../../core/text-template.ts'
import { compileHttpCall, type HttpCallOptions } from '../compile-call.ts'
import { type RunPart, refusedPart } from './part.ts'

/** Compiles an HTTP part. Throws a Mistake for values that the place has not. */
export function compileRestPart(options: HttpCallOptions, place: Place): RunPart {
  const call = compileHttpCall(options, place)
  return async (x, limits) => {
    const outcome = await call(x, limits)
    if ('status' in outcome) throw refusedPart(outcome.status, outcome.message, outcome.headers)
    return outcome
  }
}
