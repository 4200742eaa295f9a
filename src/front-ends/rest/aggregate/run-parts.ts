import type { CallLimits } from '../../../core/call-limits.ts'
import { clientGone, GatewayError, toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { isJsonObject } from '../../../core/json-value.ts'
import type { CompiledPart } from './compile-part.ts'
import type { Composition } from './composition.ts'

/** What became of a part. */
export interface PartOutcome {
  readonly part: CompiledPart
  /** What clients get of it; undefined: it failed. */
  readonly value: unknown
  /** Why it failed, or why it is not whole. */
  readonly error: GatewayError | undefined
}

/** What the parts of one exchange share. */
export interface PartsRunOptions extends CallLimits {
  readonly parts: readonly CompiledPart[]
  readonly composition: Composition
}

/** Runs the parts of one exchange, each as soon as those that it waits for are there. */
export class PartsRun {
  readonly #x: HttpExchange
  readonly #options: PartsRunOptions
  readonly #begun = new Map<CompiledPart, Promise<PartOutcome>>()

  constructor(x: HttpExchange, options: PartsRunOptions) {
    this.#x = x
    this.#options = options
  }

  /** The outcomes in the order of the parts. Rejects as soon as a part that is required fails, with its error, which names it. */
  all(): Promise<readonly PartOutcome[]> {
    return Promise.all(this.#options.parts.map((part) => this.#begin(part)))
  }

  #begin(part: CompiledPart): Promise<PartOutcome> {
    let outcome = this.#begun.get(part)
    if (outcome === undefined) {
      outcome = part.dependsOn.length === 0 ? this.#run(part) : this.#runAfter(part)
      this.#begun.set(part, outcome)
    }
    return outcome
  }

  /** A part whose values are missing is not called: it fails as what it waited for has failed. */
  async #runAfter(part: CompiledPart): Promise<PartOutcome> {
    const awaited = this.#options.parts.filter(({ name }) => part.dependsOn.includes(name))
    const before = await Promise.all(awaited.map((other) => this.#begin(other)))
    const missing = before.find(({ value }) => value === undefined)
    return missing === undefined ? this.#run(part) : { ...missing, part }
  }

  async #run(part: CompiledPart): Promise<PartOutcome> {
    try {
      const { value, failure } = await part.run(this.#x, this.#limits(part))
      if (part.as === undefined && !isJsonObject(value))
        throw new GatewayError('UPSTREAM_BAD_ANSWER', 'The answer is no object, and cannot be merged.')
      this.#options.composition.parts.set(part.name, value)
      return { part, value: part.select(value), error: failure }
    } catch (thrown) {
      // What is no GatewayError is a fault of the gateway, and is not passed over.
      if (part.optional && thrown instanceof GatewayError && !this.#x.gone)
        return { part, value: undefined, error: thrown }
      throw named(part, toGatewayError(thrown))
    }
  }

  #limits({ timeoutMs = Number.POSITIVE_INFINITY }: CompiledPart): CallLimits {
    if (this.#x.gone) throw clientGone()
    const { deadlineAt, maxAnswerBytes } = this.#options
    const now = performance.now()
    if (now >= deadlineAt) throw new GatewayError('DEADLINE_EXCEEDED', 'The time for the whole ran out.')
    return { deadlineAt: Math.min(deadlineAt, now + timeoutMs), maxAnswerBytes }
  }
}

function named({ name }: CompiledPart, error: GatewayError): GatewayError {
  const { reason, message, cause, retryAfterMs, reached, headers, violations, status } = error
  return new GatewayError(reason, `Part "${name}": ${message}`, {
    cause,
    reached,
    headers,
    violations,
    status,
    ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
  })
}
