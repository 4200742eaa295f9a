import { parentPort } from 'node:worker_threads'
import type { ThreadAnswer, ThreadRequest } from '../messages.ts'
import { compose } from './compose.ts'
import { LoadedSupergraph } from './loaded-supergraph.ts'

type ThreadQuestion = Exclude<ThreadRequest, { readonly kind: 'forget' }>

// The thread that `planning-thread.ts` starts: the only one that loads Apollo's code. It is asked one thing at a time.
const supergraphs = new Map<string, LoadedSupergraph>()

parentPort?.on('message', (request: ThreadRequest) => {
  if (request.kind === 'forget') supergraphs.delete(request.hash)
  else parentPort?.postMessage(answerTo(request))
})

function answerTo(request: ThreadQuestion): ThreadAnswer {
  try {
    return { kind: 'done', result: resultOf(request) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { kind: 'failed', message, limit: plannerLimits.test(message) }
  }
}

function resultOf(request: ThreadQuestion): unknown {
  switch (request.kind) {
    case 'compose':
      return compose(request.subgraphs)
    case 'load': {
      const loaded = new LoadedSupergraph(request.supergraph)
      supergraphs.set(request.supergraph.hash, loaded)
      return loaded.facts
    }
    case 'plan': {
      const supergraph = supergraphs.get(request.hash)
      if (supergraph === undefined) throw new Error('The supergraph is not loaded.')
      return supergraph.plan(request.request)
    }
  }
}

/** What Apollo's planner and a full stack say of an operation that is too large for them. */
const plannerLimits = /exceeds limit of \d+|reached the limit of \d+|Maximum call stack size exceeded/
