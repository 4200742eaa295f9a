import { Worker } from 'node:worker_threads'
import type { ProcessAnswer, ProcessRequest } from '../messages.ts'
import { compose } from './compose.ts'
import { LoadedSupergraph } from './loaded-supergraph.ts'

type ProcessQuestion = Exclude<ProcessRequest, { readonly kind: 'forget' }>

// The process that `planning-process.ts` starts: the only one that loads Apollo's code. It is asked one thing at a time.
const supergraphs = new Map<string, LoadedSupergraph>()

process.on('message', (request: ProcessRequest) => {
  if (request.kind === 'forget') supergraphs.delete(request.hash)
  else process.send?.(answerTo(request))
})
process.once('disconnect', () => process.exit())
new Worker(new URL('./watch-gateway.ts', import.meta.url), {
  workerData: process.ppid,
  resourceLimits: { maxOldGenerationSizeMb: 16 },
}).unref()
// Ctrl-C goes to it as well; the gateway still plans while it drains, and ends it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})

function answerTo(request: ProcessQuestion): ProcessAnswer {
  try {
    return { kind: 'done', result: resultOf(request) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { kind: 'failed', message, limit: plannerLimits.test(message) }
  }
}

function resultOf(request: ProcessQuestion): unknown {
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
