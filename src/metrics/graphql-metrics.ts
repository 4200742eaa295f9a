import type { Registry } from 'prom-client'
import type { FetchObserver, GraphqlObserver } from '../front-ends/graphql/observer.ts'
import type { Planned } from '../front-ends/graphql/planning/planning-figures.ts'
import { type Cell, counter, type Family, histogram, type Series } from '../plugins/instruments.ts'

const fetchBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const planningBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** Counts and times what GraphQL operations take; names and labels are those of docs/conventions.md, "Metrics". */
export class GraphqlMetrics implements GraphqlObserver {
  readonly #durations: Family<Series>
  readonly #fetches: Family<Cell>
  readonly #bytes: Family<Cell>
  readonly #planning: Family<Series>

  constructor(registry: Registry) {
    this.#durations = histogram(
      registry,
      {
        name: 'gateway_subgraph_duration_seconds',
        help: 'Fetches of query plans, from the call to the end of the answer.',
        labelNames: ['subgraph'],
      },
      fetchBounds,
    )
    this.#fetches = counter(registry, {
      name: 'gateway_subgraph_fetches_total',
      help: 'Fetches of query plans: answered without errors, with errors, without a usable answer, or with the answer of another one.',
      labelNames: ['subgraph', 'outcome'],
    })
    this.#bytes = counter(registry, {
      name: 'gateway_subgraph_answer_bytes_total',
      help: 'Bodies of the answers of subgraphs.',
      labelNames: ['subgraph'],
    })
    this.#planning = histogram(
      registry,
      {
        name: 'gateway_graphql_planning_duration_seconds',
        help: 'Planning of operations that were not known.',
        labelNames: ['outcome'],
      },
      planningBounds,
    )
  }

  subgraph(name: string): FetchObserver {
    const duration = this.#durations.labels(name)
    const bytes = this.#bytes.labels(name)
    const outcomes = {
      ok: this.#fetches.labels(name, 'ok'),
      error: this.#fetches.labels(name, 'error'),
      failed: this.#fetches.labels(name, 'failed'),
    }
    const shared = this.#fetches.labels(name, 'shared')
    return (outcome, fetch) => {
      if (fetch.shared) {
        shared.value++
        return
      }
      outcomes[outcome].value++
      bytes.value += fetch.answerBytes
      duration.observe((performance.now() - fetch.startedAt) / 1_000)
    }
  }

  planned({ tookMs, error }: Planned): void {
    const outcome =
      error === undefined ? 'ok' : error.reason === 'PLANNING_LIMIT_EXCEEDED' ? 'limit' : 'failed'
    this.#planning.labels(outcome).observe(tookMs / 1_000)
  }
}
