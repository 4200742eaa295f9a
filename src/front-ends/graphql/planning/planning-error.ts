import { GatewayError } from '../../../core/error.ts'
import { PlanningFailure } from './planning-process.ts'

/** What a failed plan is for strangers; what the planner said goes to the log. Throws what is no PlanningFailure. */
export function planningError(thrown: unknown): GatewayError {
  if (!(thrown instanceof PlanningFailure)) throw thrown
  switch (thrown.kind) {
    case 'time':
      return tooLong(thrown)
    case 'memory':
    case 'bound':
      return new GatewayError('PLANNING_LIMIT_EXCEEDED', 'The operation is too complex to be planned.', {
        cause: thrown,
      })
    case 'refused':
      return new GatewayError('INTERNAL', 'The gateway found no plan for the operation.', { cause: thrown })
  }
}

/** For an operation that was stopped by the clock. */
export function tooLong(cause: unknown): GatewayError {
  return new GatewayError('PLANNING_LIMIT_EXCEEDED', 'The operation takes too long to plan.', { cause })
}
