import { toGatewayError } from '../../../core/error.ts'
import type { Ask } from './ask.ts'
import { objectsAt } from './data-path.ts'
import { reportFailure } from './fetch-errors.ts'
import type { PlannedFetch } from './planned-fetch.ts'
import type { Run } from './run.ts'

/** Runs a fetch; `inCompany`: another may ask the same subgraph at the same time. Never rejects. */
export function runFetch(fetch: PlannedFetch, run: Run, inCompany = true): Promise<void> | undefined {
  const { gone, stopped } = run.execution.context.x
  if (gone) return undefined
  if (stopped !== undefined) {
    reportFailure(stopped, run, { fetch, targets: objectsAt(run.data, fetch.path) })
    return undefined
  }
  const [ask, ...others] = asksOf(fetch, run)
  if (ask === undefined) return undefined
  if (others.length === 0) return inCompany ? run.queue.send(ask) : run.queue.alone(ask)
  return Promise.all([ask, ...others].map((one) => run.queue.send(one))).then(() => {})
}

/** Keys that are nested thousands of levels deep can be read, but not be written again. */
function asksOf(fetch: PlannedFetch, run: Run): Ask[] {
  try {
    return fetch.asks(run)
  } catch (thrown) {
    reportFailure(toGatewayError(thrown), run, { fetch, targets: objectsAt(run.data, fetch.path) })
    return []
  }
}
