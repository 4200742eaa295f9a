import { toGatewayError } from '../../../core/error.ts'
import type { Ask } from './ask.ts'
import { objectsAt } from './data-path.ts'
import { reportFailure } from './fetch-errors.ts'
import { requestOf } from './fetch-operation.ts'
import type { PlannedFetch } from './planned-fetch.ts'
import type { Run } from './run.ts'

/** Runs a fetch. Never rejects. */
export function runFetch(fetch: PlannedFetch, run: Run): Promise<void> | undefined {
  if (run.isOver) return undefined
  const [ask, ...others] = asksOf(fetch, run)
  if (ask === undefined) return undefined
  if (others.length === 0) return send(ask, run)
  return Promise.all([send(ask, run), ...others.map((other) => send(other, run))]).then(() => {})
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

async function send(ask: Ask, run: Run): Promise<void> {
  const { subgraph, operation } = ask.fetch
  try {
    ask.accept(await subgraph.fetch(requestOf(operation, ask.members()), run.execution.context))
  } catch (thrown) {
    ask.fail(toGatewayError(thrown))
  }
}
